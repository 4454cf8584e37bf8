import type { OperationName } from './operations.ts';
import type { BuiltOperationName } from './shapes/all.ts';

/**
 * Operations of the table that this version does not carry out; each answers a clear error. The
 * list only shrinks: a test pins it.
 */
export const notBuilt = [
  'InitiateMultipartUpload',
  'ListMultipartUploads',
  'UploadMultipartPart',
  'ListParts',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'ListTagsForVault',
  'AddTagsToVault',
  'RemoveTagsFromVault',
  'SetVaultNotifications',
  'GetVaultNotifications',
  'DeleteVaultNotifications',
  'SetVaultAccessPolicy',
  'GetVaultAccessPolicy',
  'DeleteVaultAccessPolicy',
  'InitiateVaultLock',
  'GetVaultLock',
  'AbortVaultLock',
  'CompleteVaultLock',
  'GetDataRetrievalPolicy',
  'SetDataRetrievalPolicy',
  'ListProvisionedCapacity',
  'PurchaseProvisionedCapacity',
] as const satisfies readonly Exclude<OperationName, BuiltOperationName>[];

type Listed = (typeof notBuilt)[number];

/** Does not compile while an operation is neither built nor listed. */
const everyOperationIsAccountedFor: Exclude<OperationName, BuiltOperationName | Listed>[] = [];

export function isBuilt(name: OperationName): name is BuiltOperationName {
  return everyOperationIsAccountedFor.length === 0 && !notBuilt.some((listed) => listed === name);
}
