import type { Rows, WritableRows } from '../metadata-store.ts';
import { accountReader, accountWriter, factReader, factWriter } from './account-rows.ts';
import { archiveReader, archiveWriter } from './archive-rows.ts';
import { blobReferenceReader, blobReferenceWriter, type DamageObserver } from './blob-rows.ts';
import { capacityReader, capacityWriter } from './capacity-rows.ts';
import { jobReader, jobWriter } from './job-rows.ts';
import { retrievalReader, retrievalWriter } from './retrieval-rows.ts';
import type { Compile } from './statements.ts';
import { uploadReader, uploadWriter } from './upload-rows.ts';
import { vaultReader, vaultWriter } from './vault-rows.ts';
import { vaultSettingsReader, vaultSettingsWriter } from './vault-settings-rows.ts';
import { verificationReader, verificationWriter } from './verification-rows.ts';

/** The rows of a database to read, over statements that `compile` makes. */
export function rowsOver(compile: Compile, onDamage: DamageObserver): Rows {
  return {
    vaults: vaultReader(compile),
    vaultSettings: vaultSettingsReader(compile),
    archives: archiveReader(compile),
    uploads: uploadReader(compile),
    jobs: jobReader(compile),
    retrievals: retrievalReader(compile),
    capacity: capacityReader(compile),
    accounts: accountReader(compile),
    facts: factReader(compile),
    blobs: blobReferenceReader(compile, onDamage),
    verifications: verificationReader(compile),
  };
}

/** The rows of a database to read and to change. */
export function writableRowsOver(compile: Compile, onDamage: DamageObserver): WritableRows {
  return {
    vaults: vaultWriter(compile),
    vaultSettings: vaultSettingsWriter(compile),
    archives: archiveWriter(compile),
    uploads: uploadWriter(compile),
    jobs: jobWriter(compile),
    retrievals: retrievalWriter(compile),
    capacity: capacityWriter(compile),
    accounts: accountWriter(compile),
    facts: factWriter(compile),
    blobs: blobReferenceWriter(compile, onDamage),
    verifications: verificationWriter(compile),
  };
}
