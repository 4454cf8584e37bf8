import { limits } from '../limits.ts';
import {
  accountId,
  body,
  header,
  limit,
  list,
  marker,
  path,
  query,
  required,
  vaultName,
} from './members.ts';
import type { Members, Shape } from './shape.ts';

const jobId = path('jobId');

/**
 * `InventoryRetrievalParameters` of a request. `Limit` comes as text or, from boto 2, as a number.
 * Clients that have no value for one of them send an empty text.
 */
const inventoryRetrievalInput = {
  startDate: { ...body('StartDate', 'string'), emptyIsAbsent: true },
  endDate: { ...body('EndDate', 'string'), emptyIsAbsent: true },
  limit: { ...body('Limit', 'string'), orNumber: true, emptyIsAbsent: true },
  marker: { ...body('Marker', 'string'), emptyIsAbsent: true },
  // Of no effect here: the description of a job has it in this place, and some send it back.
  format: { ...body('Format', 'string'), emptyIsAbsent: true, unmodelled: true },
} as const satisfies Members;

const inventoryRetrievalDescription = {
  endDate: body('EndDate', 'string'),
  format: body('Format', 'string'),
  limit: body('Limit', 'string'),
  marker: body('Marker', 'string'),
  startDate: body('StartDate', 'string'),
} as const satisfies Members;

/**
 * `GlacierJobDescription`, its keys in the order of the live service. Members that only select jobs
 * have are left out of the others, as there.
 */
const jobDescription = {
  action: required(body('Action', 'string')),
  archiveId: body('ArchiveId', 'string'),
  archiveSHA256TreeHash: body('ArchiveSHA256TreeHash', 'string'),
  archiveSizeInBytes: body('ArchiveSizeInBytes', 'integer'),
  completed: required(body('Completed', 'boolean')),
  completionDate: body('CompletionDate', 'string'),
  creationDate: required(body('CreationDate', 'string')),
  inventoryRetrievalParameters: body('InventoryRetrievalParameters', {
    structure: inventoryRetrievalDescription,
  }),
  inventorySizeInBytes: body('InventorySizeInBytes', 'integer'),
  jobDescription: body('JobDescription', 'string'),
  jobId: required(body('JobId', 'string')),
  retrievalByteRange: body('RetrievalByteRange', 'string'),
  sHA256TreeHash: body('SHA256TreeHash', 'string'),
  sNSTopic: body('SNSTopic', 'string'),
  statusCode: required(body('StatusCode', 'string')),
  statusMessage: body('StatusMessage', 'string'),
  tier: body('Tier', 'string'),
  vaultARN: required(body('VaultARN', 'string')),
} as const satisfies Members;

export const jobShapes = {
  InitiateJob: {
    missingDocument: 'Job Parameters',
    input: {
      accountId,
      vaultName,
      type: {
        ...required(body('Type', 'string')),
        missingName: 'type',
        oneOf: ['archive-retrieval', 'inventory-retrieval'],
        invalid: 'Invalid job type: {value}',
      },
      archiveId: body('ArchiveId', 'string'),
      // Developer guide, "Initiate a Job": at most 1,024 bytes of 7-bit ASCII, 32–126 decimal.
      description: {
        ...body('Description', 'string'),
        form: 'printable',
        bytesMax: limits.descriptionBytesMax,
        invalid: 'The job description is not valid',
      },
      format: {
        ...body('Format', 'string'),
        emptyIsAbsent: true,
        oneOf: ['CSV', 'JSON'],
        invalid: 'Invalid inventory format: {value}',
      },
      retrievalByteRange: body('RetrievalByteRange', 'string'),
      // Only retrievals of archives have one: what another job says here is not judged.
      tier: { ...body('Tier', 'string'), emptyIsAbsent: true },
      sNSTopic: body('SNSTopic', 'string'),
      inventoryRetrievalParameters: body('InventoryRetrievalParameters', {
        structure: inventoryRetrievalInput,
      }),
    },
    output: {
      location: required(header('location')),
      jobId: required(header('x-amz-job-id')),
    },
  },
  DescribeJob: {
    input: { accountId, vaultName, jobId },
    output: jobDescription,
  },
  ListJobs: {
    input: {
      accountId,
      vaultName,
      limit,
      marker,
      completed: {
        ...query('completed'),
        oneOf: ['true', 'false'],
        invalid: 'The completed parameter is not valid: {value}',
      },
      statuscode: {
        ...query('statuscode'),
        oneOf: ['InProgress', 'Succeeded', 'Failed'],
        invalid: 'The job status code is not valid: {value}',
      },
    },
    output: {
      jobList: required(body('JobList', list(jobDescription))),
      marker: body('Marker', 'string'),
    },
  },
  GetJobOutput: {
    input: { accountId, vaultName, jobId, range: header('range') },
    output: {
      status: { in: 'status', name: 'status', type: 'integer', required: true },
      contentType: required(header('content-type')),
      acceptRanges: required(header('accept-ranges')),
      contentRange: header('content-range'),
      checksum: header('x-amz-sha256-tree-hash'),
      archiveDescription: header('x-amz-archive-description'),
      body: { in: 'stream', name: 'body', type: 'stream', required: true },
    },
  },
} as const satisfies Record<string, Shape>;
