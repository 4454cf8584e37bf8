import type { InventoryPosition, JobPosition } from '../storage/rows.ts';
import { type Markers, timeAndId } from './markers.ts';

/** The marker from which the vault's next inventory job goes on, strictly after `place`. */
export function sealInventoryMarker(
  markers: Markers,
  vaultId: string,
  { createdAtMs, archiveId }: InventoryPosition,
): string {
  return markers.seal(inventoryScope(vaultId), [createdAtMs, archiveId]);
}

/** The place that a marker of the vault's inventories holds. Throws `400` for any other text. */
export function openInventoryMarker(
  markers: Markers,
  vaultId: string,
  marker: string,
): InventoryPosition {
  const { atMs, id } = timeAndId(markers.open(inventoryScope(vaultId), marker), marker);
  return { createdAtMs: atMs, archiveId: id };
}

/** The marker from which the list of the vault's jobs goes on, strictly after `place`. */
export function sealJobsMarker(
  markers: Markers,
  vaultId: string,
  { createdAtMs, jobId }: JobPosition,
): string {
  return markers.seal(jobsScope(vaultId), [createdAtMs, jobId]);
}

/** The place that a marker of the vault's jobs holds. Throws `400` for any other text. */
export function openJobsMarker(markers: Markers, vaultId: string, marker: string): JobPosition {
  const { atMs, id } = timeAndId(markers.open(jobsScope(vaultId), marker), marker);
  return { createdAtMs: atMs, jobId: id };
}

function inventoryScope(vaultId: string): string {
  return `inventory/${vaultId}`;
}

function jobsScope(vaultId: string): string {
  return `jobs/${vaultId}`;
}
