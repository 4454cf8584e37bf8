import type { ErrorCode } from './errors.ts';

/** What one row of the table says about one operation. */
export interface Operation {
  /** Method and URI template, with a query literal where two operations share a path. */
  readonly http: `${'GET' | 'PUT' | 'POST' | 'DELETE'} /{accountId}/${string}`;
  /** Status of a successful reply. */
  readonly ok: 200 | 201 | 202 | 204;
  /** Whose ARN the caller's policies are evaluated against. */
  readonly on: 'account' | 'vault';
  /** `stream` where the request's body is an archive's bytes, and not a small document. */
  readonly body?: 'stream';
  /** Error codes beyond those that any operation can answer with (`commonErrorCodes`). */
  readonly errors: readonly ErrorCode[];
}

const notFound = ['ResourceNotFoundException'] as const;
const limit = ['ResourceNotFoundException', 'LimitExceededException'] as const;
const refusedJob = [
  ...notFound,
  'PolicyEnforcedException',
  'InsufficientCapacityException',
] as const;

const vault = '/{accountId}/vaults/{vaultName}';
const uploads = `${vault}/multipart-uploads` as const;
const anUpload = `${uploads}/{uploadId}` as const;
const aJob = `${vault}/jobs/{jobId}` as const;
const lock = `${vault}/lock-policy` as const;
const accessPolicy = `${vault}/access-policy` as const;
const notifications = `${vault}/notification-configuration` as const;
const retrievalPolicy = '/{accountId}/policies/data-retrieval';
const capacity = '/{accountId}/provisioned-capacity';

/** The API, whole: Amazon S3 Glacier, version 2012-06-01, one row per operation. */
// biome-ignore format: a table reads best as a table
export const operations = {
  ListVaults:                 { http: 'GET /{accountId}/vaults',              ok: 200, on: 'account', errors: [] },
  CreateVault:                { http: `PUT ${vault}`,                         ok: 201, on: 'vault',   errors: ['LimitExceededException'] },
  DescribeVault:              { http: `GET ${vault}`,                         ok: 200, on: 'vault',   errors: notFound },
  DeleteVault:                { http: `DELETE ${vault}`,                      ok: 204, on: 'vault',   errors: [] },

  UploadArchive:              { http: `POST ${vault}/archives`,               ok: 201, on: 'vault',   errors: notFound, body: 'stream' },
  DeleteArchive:              { http: `DELETE ${vault}/archives/{archiveId}`, ok: 204, on: 'vault',   errors: notFound },

  InitiateMultipartUpload:    { http: `POST ${uploads}`,                      ok: 201, on: 'vault',   errors: notFound },
  ListMultipartUploads:       { http: `GET ${uploads}`,                       ok: 200, on: 'vault',   errors: notFound },
  UploadMultipartPart:        { http: `PUT ${anUpload}`,                      ok: 204, on: 'vault',   errors: notFound, body: 'stream' },
  ListParts:                  { http: `GET ${anUpload}`,                      ok: 200, on: 'vault',   errors: notFound },
  CompleteMultipartUpload:    { http: `POST ${anUpload}`,                     ok: 201, on: 'vault',   errors: notFound },
  AbortMultipartUpload:       { http: `DELETE ${anUpload}`,                   ok: 204, on: 'vault',   errors: notFound },

  InitiateJob:                { http: `POST ${vault}/jobs`,                   ok: 202, on: 'vault',   errors: refusedJob },
  ListJobs:                   { http: `GET ${vault}/jobs`,                    ok: 200, on: 'vault',   errors: notFound },
  DescribeJob:                { http: `GET ${aJob}`,                          ok: 200, on: 'vault',   errors: notFound },
  GetJobOutput:               { http: `GET ${aJob}/output`,                   ok: 200, on: 'vault',   errors: notFound },

  ListTagsForVault:           { http: `GET ${vault}/tags`,                    ok: 200, on: 'vault',   errors: notFound },
  AddTagsToVault:             { http: `POST ${vault}/tags?operation=add`,     ok: 204, on: 'vault',   errors: limit },
  RemoveTagsFromVault:        { http: `POST ${vault}/tags?operation=remove`,  ok: 204, on: 'vault',   errors: notFound },

  SetVaultNotifications:      { http: `PUT ${notifications}`,                 ok: 204, on: 'vault',   errors: notFound },
  GetVaultNotifications:      { http: `GET ${notifications}`,                 ok: 200, on: 'vault',   errors: notFound },
  DeleteVaultNotifications:   { http: `DELETE ${notifications}`,              ok: 204, on: 'vault',   errors: notFound },

  SetVaultAccessPolicy:       { http: `PUT ${accessPolicy}`,                  ok: 204, on: 'vault',   errors: notFound },
  GetVaultAccessPolicy:       { http: `GET ${accessPolicy}`,                  ok: 200, on: 'vault',   errors: notFound },
  DeleteVaultAccessPolicy:    { http: `DELETE ${accessPolicy}`,               ok: 204, on: 'vault',   errors: notFound },

  InitiateVaultLock:          { http: `POST ${lock}`,                         ok: 201, on: 'vault',   errors: notFound },
  GetVaultLock:               { http: `GET ${lock}`,                          ok: 200, on: 'vault',   errors: notFound },
  AbortVaultLock:             { http: `DELETE ${lock}`,                       ok: 204, on: 'vault',   errors: notFound },
  CompleteVaultLock:          { http: `POST ${lock}/{lockId}`,                ok: 204, on: 'vault',   errors: notFound },

  GetDataRetrievalPolicy:     { http: `GET ${retrievalPolicy}`,               ok: 200, on: 'account', errors: [] },
  SetDataRetrievalPolicy:     { http: `PUT ${retrievalPolicy}`,               ok: 204, on: 'account', errors: [] },

  ListProvisionedCapacity:    { http: `GET ${capacity}`,                      ok: 200, on: 'account', errors: [] },
  PurchaseProvisionedCapacity:{ http: `POST ${capacity}`,                     ok: 201, on: 'account', errors: ['LimitExceededException'] },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;

/** The names of all operations, in the order of the table. */
export const operationNames = Object.keys(operations) as OperationName[];

/** The row of an operation, in the general type. */
export function rowOf(name: OperationName): Operation {
  return operations[name];
}

/** The action that a policy names for an operation. */
export const actionOf = <N extends OperationName>(name: N): `glacier:${N}` => `glacier:${name}`;
