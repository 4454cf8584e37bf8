import { retrievalTiers } from '../../src/domain/job-requests.ts';
import { limits } from '../../src/protocol/limits.ts';
import type { OperationName } from '../../src/protocol/operations.ts';
import { code } from '../markdown.ts';

/** Rules of an operation that its shape does not hold: many are about more than one value. */
export interface OperationRules {
  /** Members that are required although the shape leaves it open, by name, and when. */
  readonly required?: Readonly<Record<string, string>>;
  readonly sentences: readonly string[];
}

const mebibyte = 1024 * 1024;

function pageOf(count: number): string {
  return `A page has at most ${count}, also where \`limit\` is greater.`;
}

const topic = '`SNSTopic` is the ARN of an SNS topic in the region of the request.';
const policy =
  `\`Policy\` is a policy as JSON text, of at most ${inText(limits.policySizeBytesMax)} bytes, ` +
  'that can apply to this vault.';
const tagKey =
  `A key has 1 to ${limits.tagKeyLengthMax} letters, digits, spaces and \`_ . / = + - @ :\`, ` +
  'and does not start with `aws:`.';

const jobRules = [
  '`ArchiveId` and `RetrievalByteRange` are for `archive-retrieval` alone, `Format` and ' +
    '`InventoryRetrievalParameters` for `inventory-retrieval`. The format is `JSON` without one.',
  '`RetrievalByteRange` is `first-last`. It starts at a multiple of ' +
    `${inText(mebibyte)} bytes, and ends just before one or at the archive's end.`,
  `\`Tier\` of a retrieval is one of ${retrievalTiers.map(code).join(', ')}; without one it is ` +
    '`Standard`. That of an inventory has no effect, whatever its text is.',
  topic,
  '`StartDate` and `EndDate` are in ISO 8601, with a time, the end not before the start. ' +
    'Archives are listed that were created from the start on, and before the end.',
  '`Limit` is an integer of at least 1, as text or as a number.',
  '`Marker` is one that the description of an inventory job of this vault gave.',
  '`InventoryRetrievalParameters.Format` has no effect here.',
];

/** By operation; those that are not here have no further rules. */
export const operationRules: Readonly<Partial<Record<OperationName, OperationRules>>> = {
  ListVaults: {
    sentences: [pageOf(limits.listVaultsMax), '`marker` is the ARN of a vault.'],
  },
  CreateVault: {
    sentences: [
      `A name has 1 to ${limits.vaultNameLengthMax} of \`a-z A-Z 0-9 _ - .\`; ` +
        '`.` and `..` are none.',
    ],
  },
  InitiateMultipartUpload: {
    required: { 'x-amz-part-size': 'yes' },
    sentences: [
      `The part size is a power of two, from ${inText(limits.partSizeBytesMin)} ` +
        `to ${inText(limits.partSizeBytesMax)} bytes.`,
    ],
  },
  UploadMultipartPart: {
    sentences: [
      'The range starts at a multiple of the part size, is not larger than it, and lies within ' +
        `the first ${inText(limits.partsPerUploadMax)} parts.`,
      'Without `content-length`, the bytes come in chunks.',
    ],
  },
  CompleteMultipartUpload: {
    sentences: [
      'Size and tree hash are those of the whole archive.',
      'Its parts lie side by side, from byte 0 on.',
    ],
  },
  ListMultipartUploads: { sentences: [pageOf(limits.listUploadsMax)] },
  ListParts: { sentences: [pageOf(limits.listPartsMax)] },
  InitiateJob: {
    required: { ArchiveId: 'for an archive' },
    sentences: jobRules,
  },
  ListJobs: { sentences: [pageOf(limits.listJobsMax)] },
  GetJobOutput: {
    sentences: [
      'A range is `bytes=first-last`, `bytes=first-` or `bytes=-count`; else it has no effect. ' +
        'An end past the output is cut, and a start past it is `400`.',
      '`x-amz-sha256-tree-hash` comes with what is tree-hash aligned, of an archive.',
    ],
  },
  AddTagsToVault: {
    sentences: [
      `A request has 1 to ${limits.tagsPerRequestMax} tags, and a vault at most ` +
        `${limits.tagsPerVaultMax} (\`FIRN_VAULT_TAGS_MAX\`).`,
      `${tagKey} A value has 0 to ${limits.tagValueLengthMax} of them.`,
    ],
  },
  RemoveTagsFromVault: {
    sentences: [`A request has 1 to ${limits.tagsPerRequestMax} keys.`, tagKey],
  },
  SetVaultNotifications: {
    sentences: [
      topic,
      '`Events` has one or both of `ArchiveRetrievalCompleted` and `InventoryRetrievalCompleted`.',
    ],
  },
  SetVaultAccessPolicy: { sentences: [policy] },
  InitiateVaultLock: {
    sentences: [
      policy,
      'The lock ends unless it is completed within 24 hours (`FIRN_VAULT_LOCK_EXPIRY`).',
    ],
  },
  SetDataRetrievalPolicy: {
    sentences: [
      'There is exactly one rule.',
      '`BytesPerHour` is required with the strategy of that name, and refused with another.',
    ],
  },
  PurchaseProvisionedCapacity: {
    sentences: [
      `An account has at most ${limits.capacityUnitsMax} units in a region ` +
        '(`FIRN_CAPACITY_UNITS_MAX`).',
    ],
  },
};

function inText(count: number): string {
  return count.toLocaleString('en-US');
}
