import { defined } from '../../lib/assert.ts';
import type { BlobId } from '../blob-store.ts';
import type { BlobPart, InventoryJobFacts, JobRow, RetrievalFacts } from '../rows.ts';
import type { JobsTable } from './schema.ts';

/** The columns that a `JobRow` is made of: all but the lease. */
export type JobColumns = Omit<JobsTable, 'leased_until_ms'>;

export const jobColumnNames = [
  'job_id',
  'vault_id',
  'action',
  'retrieval',
  'inventory',
  'description',
  'sns_topic',
  'status',
  'created_at_ms',
  'due_at_ms',
  'completed_at_ms',
  'expires_at_ms',
  'output_blob_id',
  'output_size_bytes',
] as const satisfies readonly (keyof JobColumns)[];

export function jobColumns(job: JobRow): JobColumns {
  return {
    job_id: job.jobId,
    vault_id: job.vaultId,
    action: job.action,
    retrieval: job.retrieval && JSON.stringify(job.retrieval),
    inventory: job.inventory && JSON.stringify(job.inventory),
    description: job.description,
    sns_topic: job.snsTopic,
    status: job.status,
    created_at_ms: job.createdAtMs,
    due_at_ms: job.dueAtMs,
    completed_at_ms: job.completedAtMs,
    expires_at_ms: job.expiresAtMs,
    output_blob_id: job.output?.blobId ?? null,
    output_size_bytes: job.output?.sizeBytes ?? null,
  };
}

export function jobRow(row: JobColumns): JobRow {
  return {
    jobId: row.job_id,
    vaultId: row.vault_id,
    action: row.action,
    // Written by `jobColumns` and by nobody else, so it has the shape that went in.
    retrieval: row.retrieval === null ? null : (JSON.parse(row.retrieval) as RetrievalFacts),
    inventory: row.inventory === null ? null : (JSON.parse(row.inventory) as InventoryJobFacts),
    description: row.description,
    snsTopic: row.sns_topic,
    status: row.status,
    createdAtMs: row.created_at_ms,
    dueAtMs: row.due_at_ms,
    completedAtMs: row.completed_at_ms,
    expiresAtMs: row.expires_at_ms,
    output: outputOf(row),
  };
}

function outputOf(row: JobColumns): BlobPart | null {
  if (row.output_blob_id === null) return null;
  return {
    blobId: row.output_blob_id as BlobId,
    sizeBytes: defined(row.output_size_bytes, 'output_size_bytes'),
  };
}
