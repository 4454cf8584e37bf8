import type { TimeBounds } from '../lib/time-bounds.ts';
import { GlacierError } from '../protocol/errors.ts';
import type { Rows } from '../storage/metadata-store.ts';
import type { UploadRow, VaultKey, VaultRow } from '../storage/rows.ts';
import { isOpen } from './upload-states.ts';
import { vaultAt } from './vaults.ts';

/** Which upload a caller means: an id means nothing in another vault than its own. */
export interface UploadAddress {
  readonly vault: VaultKey;
  readonly uploadId: string;
}

/** By what is judged whether an upload has expired: never too early. */
export interface UploadExpiry {
  readonly timeBounds: TimeBounds;
  readonly uploadExpiryMs: number;
}

export interface FoundUpload {
  readonly vault: VaultRow;
  readonly upload: UploadRow;
}

/** The upload, whatever its state; `404` when the vault or the upload is not there. */
export async function uploadAt(rows: Rows, address: UploadAddress): Promise<FoundUpload> {
  const vault = await vaultAt(rows, address.vault);
  const upload = await rows.uploads.get(address.uploadId);
  if (upload?.vaultId !== vault.vaultId) throw uploadNotFound(address);
  return { vault, upload };
}

/** The upload; `404` also when it has ended or expired. */
export async function openUploadAt(
  rows: Rows,
  address: UploadAddress,
  { timeBounds, uploadExpiryMs }: UploadExpiry,
): Promise<FoundUpload> {
  const found = await uploadAt(rows, address);
  if (!isOpen(found.upload, timeBounds.earliest(), uploadExpiryMs)) throw uploadNotFound(address);
  return found;
}

/** The wording follows the text that the live service has for jobs. */
export function uploadNotFound({ uploadId }: Pick<UploadAddress, 'uploadId'>): GlacierError {
  return new GlacierError('ResourceNotFoundException', `The upload ID was not found: ${uploadId}`);
}
