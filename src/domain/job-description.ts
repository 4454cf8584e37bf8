import { toTimestamp, type VaultAddress, vaultArn } from '../protocol/names.ts';
import type { Output } from '../protocol/shapes/all.ts';
import type { InventoryJobFacts, JobRow } from '../storage/rows.ts';

export type JobDescription = Output<'DescribeJob'>;

/** A job as DescribeJob, ListJobs and notifications show it. */
export function describeJob(job: JobRow, vault: VaultAddress): JobDescription {
  const { retrieval, inventory } = job;
  return {
    action: job.action,
    archiveId: retrieval?.archiveId ?? null,
    archiveSHA256TreeHash: retrieval?.archiveTreeHash ?? null,
    archiveSizeInBytes: retrieval?.archiveSizeBytes ?? null,
    completed: job.status !== 'InProgress',
    completionDate: job.completedAtMs === null ? null : toTimestamp(job.completedAtMs),
    creationDate: toTimestamp(job.createdAtMs),
    inventoryRetrievalParameters: inventory === null ? null : inventoryParameters(inventory),
    inventorySizeInBytes: job.output?.sizeBytes ?? null,
    jobDescription: job.description,
    jobId: job.jobId,
    retrievalByteRange: retrieval === null ? null : `${retrieval.firstByte}-${retrieval.lastByte}`,
    sHA256TreeHash: retrieval?.treeHash ?? null,
    sNSTopic: job.snsTopic,
    statusCode: job.status,
    // In progress the live service sends null. An old client compares the message, not the code,
    // with `Succeeded` and `Failed`, so there is nothing else in it.
    statusMessage: job.status === 'InProgress' ? null : job.status,
    tier: retrieval?.tier ?? null,
    vaultARN: vaultArn(vault),
  };
}

/**
 * `Marker` is where the next job goes on, not the one of the request. Clients take an inventory for
 * a full one when all but `Format` are null, so nothing is filled in.
 */
function inventoryParameters(inventory: InventoryJobFacts) {
  return {
    endDate: inventory.endDate,
    format: inventory.format,
    limit: inventory.limit,
    marker: inventory.nextMarker,
    startDate: inventory.startDate,
  };
}
