import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Api } from './api.ts';
import { eventually } from './eventually.ts';
import type { Answer } from './http.ts';
import { type HeaderLines, sha256Hex } from './signature.ts';
import { treeHashOf } from './tree-hash-reference.ts';

/** A name that no other test uses. */
export function freshName(prefix = 'vault'): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

/** Bytes that repeat nowhere. */
export function bytesOf(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

export async function createVault(api: Api, name = freshName()): Promise<string> {
  const answer = await api.call('PUT', `/-/vaults/${name}`);
  assert.equal(answer.status, 201, answer.text);
  return name;
}

/** Sends a document as JSON, or a text as it is. */
export function send(api: Api, method: string, target: string, document: unknown): Promise<Answer> {
  const body = typeof document === 'string' ? document : JSON.stringify(document);
  return api.call(method, target, { body });
}

/** Adds tags, whatever the answer. */
export function addTags(api: Api, vault: string, Tags: unknown): Promise<Answer> {
  return send(api, 'POST', `/-/vaults/${vault}/tags?operation=add`, { Tags });
}

/** Removes tags, whatever the answer. */
export function removeTags(api: Api, vault: string, TagKeys: unknown): Promise<Answer> {
  return send(api, 'POST', `/-/vaults/${vault}/tags?operation=remove`, { TagKeys });
}

export async function tagsOf(api: Api, vault: string): Promise<Readonly<Record<string, string>>> {
  return jsonOf<{ Tags: Record<string, string> }>(await api.call('GET', `/-/vaults/${vault}/tags`))
    .Tags;
}

/** Starts the lock of a vault, whatever the answer. */
export function askForLock(api: Api, vault: string, Policy: unknown): Promise<Answer> {
  return send(api, 'POST', `/-/vaults/${vault}/lock-policy`, { Policy });
}

export async function initiateLock(api: Api, vault: string, policy: string): Promise<string> {
  const answer = await askForLock(api, vault, policy);
  assert.equal(answer.status, 201, answer.text);
  return answer.headers.get('x-amz-lock-id') ?? '';
}

export async function setRetrievalPolicy(
  api: Api,
  rule: { readonly Strategy: string; readonly BytesPerHour?: number },
): Promise<void> {
  const policy = { Policy: { Rules: [rule] } };
  const answer = await send(api, 'PUT', '/-/policies/data-retrieval', policy);
  assert.equal(answer.status, 204, answer.text);
}

/** Buys a unit of provisioned capacity. */
export async function purchaseCapacity(api: Api): Promise<string> {
  const answer = await api.call('POST', '/-/provisioned-capacity');
  assert.equal(answer.status, 201, answer.text);
  return answer.headers.get('x-amz-capacity-id') ?? '';
}

export interface CapacityUnit {
  readonly CapacityId: string;
  readonly StartDate: string;
  readonly ExpirationDate: string;
}

export async function capacityOf(api: Api): Promise<readonly CapacityUnit[]> {
  const answer = await api.call('GET', '/-/provisioned-capacity');
  return jsonOf<{ ProvisionedCapacityList: CapacityUnit[] }>(answer).ProvisionedCapacityList;
}

export interface VaultDescription {
  readonly CreationDate: string;
  readonly LastInventoryDate: string | null;
  readonly NumberOfArchives: number | null;
  readonly SizeInBytes: number | null;
  readonly VaultARN: string;
  readonly VaultName: string;
}

export async function describeVault(api: Api, vault: string): Promise<VaultDescription> {
  return jsonOf(await api.call('GET', `/-/vaults/${vault}`));
}

/** The headers that an upload has to bring. */
export function uploadHeaders(bytes: Uint8Array, description?: string): HeaderLines {
  const described: HeaderLines =
    description === undefined ? [] : [['x-amz-archive-description', description]];
  return [
    ['x-amz-content-sha256', sha256Hex(bytes)],
    ['x-amz-sha256-tree-hash', treeHashOf(bytes)],
    ...described,
  ];
}

export async function upload(
  api: Api,
  vault: string,
  bytes: Uint8Array,
  description?: string,
): Promise<string> {
  const headers = uploadHeaders(bytes, description);
  const answer = await api.call('POST', `/-/vaults/${vault}/archives`, { headers, body: bytes });
  assert.equal(answer.status, 201, answer.text);
  return answer.headers.get('x-amz-archive-id') ?? '';
}

export async function deleteArchive(api: Api, vault: string, archiveId: string): Promise<void> {
  const answer = await api.call('DELETE', `/-/vaults/${vault}/archives/${archiveId}`);
  assert.equal(answer.status, 204, answer.text);
}

/** Asks for a job, whatever the answer. */
export function askForJob(api: Api, vault: string, parameters: unknown): Promise<Answer> {
  const body = typeof parameters === 'string' ? parameters : JSON.stringify(parameters);
  return api.call('POST', `/-/vaults/${vault}/jobs`, { body });
}

export async function initiateJob(api: Api, vault: string, parameters: unknown): Promise<string> {
  const answer = await askForJob(api, vault, parameters);
  assert.equal(answer.status, 202, answer.text);
  return answer.headers.get('x-amz-job-id') ?? '';
}

export interface JobDescription {
  readonly Action: string;
  readonly ArchiveId: string | null;
  readonly ArchiveSHA256TreeHash: string | null;
  readonly ArchiveSizeInBytes: number | null;
  readonly Completed: boolean;
  readonly CompletionDate: string | null;
  readonly CreationDate: string;
  readonly InventoryRetrievalParameters: Readonly<Record<string, string | null>> | null;
  readonly InventorySizeInBytes: number | null;
  readonly JobDescription: string | null;
  readonly JobId: string;
  readonly RetrievalByteRange: string | null;
  readonly SHA256TreeHash: string | null;
  readonly SNSTopic: string | null;
  readonly StatusCode: string;
  readonly StatusMessage: string | null;
  readonly Tier: string | null;
  readonly VaultARN: string;
}

export async function describeJob(api: Api, vault: string, jobId: string): Promise<JobDescription> {
  return jsonOf(await api.call('GET', `/-/vaults/${vault}/jobs/${jobId}`));
}

/** The job's description once it is completed. */
export function completedJob(
  api: Api,
  vault: string,
  jobId: string,
  clock?: { advance(ms: number): void },
): Promise<JobDescription> {
  return eventually('the job completes', async () => {
    // Wakes whoever began to wait for a moment that was already over.
    clock?.advance(0);
    const description = await describeJob(api, vault, jobId);
    return description.Completed && description;
  });
}

export function getOutput(api: Api, vault: string, jobId: string, range?: string): Promise<Answer> {
  const headers: HeaderLines = range === undefined ? [] : [['Range', range]];
  return api.call('GET', `/-/vaults/${vault}/jobs/${jobId}/output`, { headers });
}

/** The output of a job that is asked for now and waited for. */
export async function outputOf(api: Api, vault: string, parameters: unknown): Promise<Answer> {
  const jobId = await initiateJob(api, vault, parameters);
  assert.equal((await completedJob(api, vault, jobId)).StatusCode, 'Succeeded');
  const answer = await getOutput(api, vault, jobId);
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

/** The bytes of an archive, by a job. */
export async function retrieve(api: Api, vault: string, archiveId: string): Promise<Buffer> {
  return (await outputOf(api, vault, { Type: 'archive-retrieval', ArchiveId: archiveId })).body;
}

export interface Inventory {
  readonly VaultARN: string;
  readonly InventoryDate: string;
  readonly ArchiveList: readonly {
    readonly ArchiveId: string;
    readonly ArchiveDescription: string;
    readonly CreationDate: string;
    readonly Size: number;
    readonly SHA256TreeHash: string;
  }[];
}

export async function inventoryOf(api: Api, vault: string): Promise<Inventory> {
  return JSON.parse((await outputOf(api, vault, { Type: 'inventory-retrieval' })).text);
}

/** The document of an answer that has one. */
export function jsonOf<T>(answer: Answer): T {
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
}
