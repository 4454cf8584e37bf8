import { assert } from '../lib/assert.ts';
import type { UploadPosition } from '../storage/rows.ts';
import { type Markers, timeAndId } from './markers.ts';

/** The marker from which the list of the vault's uploads goes on, strictly after `place`. */
export function sealUploadsMarker(
  markers: Markers,
  vaultId: string,
  { createdAtMs, uploadId }: UploadPosition,
): string {
  return markers.seal(uploadsScope(vaultId), [createdAtMs, uploadId]);
}

/** The place that a marker of the vault's uploads holds. Throws `400` for any other text. */
export function openUploadsMarker(
  markers: Markers,
  vaultId: string,
  marker: string,
): UploadPosition {
  const { atMs, id } = timeAndId(markers.open(uploadsScope(vaultId), marker), marker);
  return { createdAtMs: atMs, uploadId: id };
}

/** The marker from which the list of the upload's parts goes on, strictly after this index. */
export function sealPartsMarker(markers: Markers, uploadId: string, index: number): string {
  return markers.seal(partsScope(uploadId), [index]);
}

/** The index that a marker of the upload's parts holds. Throws `400` for any other text. */
export function openPartsMarker(markers: Markers, uploadId: string, marker: string): number {
  const [index] = markers.open(partsScope(uploadId), marker);
  assert(typeof index === 'number', 'a marker of parts holds an index');
  return index;
}

function uploadsScope(vaultId: string): string {
  return `uploads/${vaultId}`;
}

function partsScope(uploadId: string): string {
  return `parts/${uploadId}`;
}
