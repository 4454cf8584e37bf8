import { type ByteRange, parseRetrievalByteRange } from '../protocol/byte-range.ts';
import { invalidParameter, missingParameter } from '../protocol/errors.ts';
import type { Input } from '../protocol/shapes/all.ts';
import { parseInventoryDate } from './inventory-dates.ts';
import { checkTopic } from './topics.ts';

/** The parameters of InitiateJob. */
export type JobParameters = Omit<Input<'InitiateJob'>, 'accountId' | 'vaultName'>;

/** Developer guide, "Initiate a Job": how soon a retrieval is wanted; `Standard` unless it says so. */
export const retrievalTiers = ['Expedited', 'Standard', 'Bulk'] as const;

type RetrievalTier = (typeof retrievalTiers)[number];

interface CommonRequest {
  readonly description: string | null;
  readonly snsTopic: string | null;
}

export interface RetrievalRequest extends CommonRequest {
  readonly kind: 'archive-retrieval';
  readonly archiveId: string;
  /** Null for the whole archive. */
  readonly range: ByteRange | null;
  /** The range as it was asked for. */
  readonly rangeText: string;
  readonly tier: RetrievalTier;
}

export interface InventoryRequest extends CommonRequest {
  readonly kind: 'inventory-retrieval';
  readonly format: 'JSON' | 'CSV';
  readonly startDate: string | null;
  readonly endDate: string | null;
  readonly limit: string | null;
  readonly marker: string | null;
}

/** Checks all that can be checked of a job's parameters without looking at the vault. */
export function parseJobRequest(
  parameters: JobParameters,
  region: string,
): RetrievalRequest | InventoryRequest {
  const { description = null, sNSTopic } = parameters;
  const common = {
    description,
    snsTopic: sNSTopic === undefined ? null : checkTopic(sNSTopic, region),
  };
  return parameters.type === 'archive-retrieval'
    ? { ...retrievalRequest(parameters), ...common }
    : { ...inventoryRequest(parameters), ...common };
}

function retrievalRequest(parameters: JobParameters): Omit<RetrievalRequest, keyof CommonRequest> {
  const { archiveId, retrievalByteRange, format, inventoryRetrievalParameters } = parameters;
  if (archiveId === undefined) throw missingParameter('archiveId');
  if (format !== undefined) {
    throw invalidParameter('The format must not be specified for an archive retrieval job');
  }
  // An empty object is what the Java SDK sends for a builder that was left empty.
  if (Object.values(inventoryRetrievalParameters ?? {}).some((value) => value !== undefined)) {
    throw invalidParameter(
      'The inventory retrieval parameters must not be specified for an archive retrieval job',
    );
  }
  const range =
    retrievalByteRange === undefined ? null : parseRetrievalByteRange(retrievalByteRange);
  if (range === undefined) throw invalidRetrievalRange(retrievalByteRange ?? '');
  const tier = tierOf(parameters.tier ?? 'Standard');
  const rangeText = retrievalByteRange ?? '';
  return { kind: 'archive-retrieval', archiveId, range, rangeText, tier };
}

function tierOf(text: string): RetrievalTier {
  const tier = retrievalTiers.find((known) => known === text);
  if (tier === undefined) throw invalidParameter(`Invalid tier: ${text}`);
  return tier;
}

function inventoryRequest(parameters: JobParameters): Omit<InventoryRequest, keyof CommonRequest> {
  if (parameters.archiveId !== undefined) {
    throw invalidParameter('The archive ID must not be specified for an inventory retrieval job');
  }
  if (parameters.retrievalByteRange !== undefined) {
    throw invalidParameter(
      'The retrieval byte range must not be specified for an inventory retrieval job',
    );
  }
  const given = parameters.inventoryRetrievalParameters ?? {};
  const { startDate = null, endDate = null, limit = null, marker = null } = given;
  const startMs = startDate === null ? null : parseInventoryDate(startDate);
  const endMs = endDate === null ? null : parseInventoryDate(endDate);
  if (startMs !== null && endMs !== null && startMs > endMs) {
    throw invalidParameter(`Invalid date: ${startDate} is later than ${endDate}`);
  }
  if (limit !== null && !isInventoryLimit(limit)) {
    throw invalidParameter(`Invalid limit: ${limit}`);
  }
  const format = (parameters.format ?? 'JSON') as InventoryRequest['format'];
  return { kind: 'inventory-retrieval', format, startDate, endDate, limit, marker };
}

export function invalidRetrievalRange(text: string) {
  return invalidParameter(`The retrieval byte range is not valid: ${text}`);
}

/** There is no greatest limit: one beyond all archives is none. */
function isInventoryLimit(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) >= 1;
}
