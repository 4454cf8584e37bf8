import type { OperationName } from '../protocol/operations.ts';
import { deleteVaultAccessPolicy } from './access-policy/delete-vault-access-policy.ts';
import { getVaultAccessPolicy } from './access-policy/get-vault-access-policy.ts';
import { setVaultAccessPolicy } from './access-policy/set-vault-access-policy.ts';
import { deleteArchive } from './archives/delete-archive.ts';
import { uploadArchive } from './archives/upload-archive.ts';
import { listProvisionedCapacity } from './capacity/list-provisioned-capacity.ts';
import { purchaseProvisionedCapacity } from './capacity/purchase-provisioned-capacity.ts';
import type { Handler, Services } from './handler.ts';
import { describeJob } from './jobs/describe-job.ts';
import { getJobOutput } from './jobs/get-job-output.ts';
import { initiateJob } from './jobs/initiate-job.ts';
import { listJobs } from './jobs/list-jobs.ts';
import { deleteVaultNotifications } from './notifications/delete-vault-notifications.ts';
import { getVaultNotifications } from './notifications/get-vault-notifications.ts';
import { setVaultNotifications } from './notifications/set-vault-notifications.ts';
import { getDataRetrievalPolicy } from './retrieval-policy/get-data-retrieval-policy.ts';
import { setDataRetrievalPolicy } from './retrieval-policy/set-data-retrieval-policy.ts';
import { addTagsToVault } from './tags/add-tags-to-vault.ts';
import { listTagsForVault } from './tags/list-tags-for-vault.ts';
import { removeTagsFromVault } from './tags/remove-tags-from-vault.ts';
import { abortMultipartUpload } from './uploads/abort-multipart-upload.ts';
import { completeMultipartUpload } from './uploads/complete-multipart-upload.ts';
import { initiateMultipartUpload } from './uploads/initiate-multipart-upload.ts';
import { listMultipartUploads } from './uploads/list-multipart-uploads.ts';
import { listParts } from './uploads/list-parts.ts';
import { uploadMultipartPart } from './uploads/upload-multipart-part.ts';
import { abortVaultLock } from './vault-lock/abort-vault-lock.ts';
import { completeVaultLock } from './vault-lock/complete-vault-lock.ts';
import { getVaultLock } from './vault-lock/get-vault-lock.ts';
import { initiateVaultLock } from './vault-lock/initiate-vault-lock.ts';
import { createVault } from './vaults/create-vault.ts';
import { deleteVault } from './vaults/delete-vault.ts';
import { describeVault } from './vaults/describe-vault.ts';
import { listVaults } from './vaults/list-vaults.ts';

/** The handler of each operation: a missing one does not compile. */
export const handlers = {
  CreateVault: createVault,
  DescribeVault: describeVault,
  ListVaults: listVaults,
  DeleteVault: deleteVault,
  UploadArchive: uploadArchive,
  DeleteArchive: deleteArchive,
  InitiateMultipartUpload: initiateMultipartUpload,
  ListMultipartUploads: listMultipartUploads,
  UploadMultipartPart: uploadMultipartPart,
  ListParts: listParts,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  InitiateJob: initiateJob,
  DescribeJob: describeJob,
  ListJobs: listJobs,
  GetJobOutput: getJobOutput,
  ListTagsForVault: listTagsForVault,
  AddTagsToVault: addTagsToVault,
  RemoveTagsFromVault: removeTagsFromVault,
  SetVaultNotifications: setVaultNotifications,
  GetVaultNotifications: getVaultNotifications,
  DeleteVaultNotifications: deleteVaultNotifications,
  SetVaultAccessPolicy: setVaultAccessPolicy,
  GetVaultAccessPolicy: getVaultAccessPolicy,
  DeleteVaultAccessPolicy: deleteVaultAccessPolicy,
  InitiateVaultLock: initiateVaultLock,
  GetVaultLock: getVaultLock,
  AbortVaultLock: abortVaultLock,
  CompleteVaultLock: completeVaultLock,
  GetDataRetrievalPolicy: getDataRetrievalPolicy,
  SetDataRetrievalPolicy: setDataRetrievalPolicy,
  ListProvisionedCapacity: listProvisionedCapacity,
  PurchaseProvisionedCapacity: purchaseProvisionedCapacity,
} satisfies { readonly [N in OperationName]: Handler<N, keyof Services> };
