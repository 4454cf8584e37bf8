import type { BuiltOperationName } from '../protocol/shapes/all.ts';
import { deleteArchive } from './archives/delete-archive.ts';
import { uploadArchive } from './archives/upload-archive.ts';
import type { Handler, Services } from './handler.ts';
import { describeJob } from './jobs/describe-job.ts';
import { getJobOutput } from './jobs/get-job-output.ts';
import { initiateJob } from './jobs/initiate-job.ts';
import { listJobs } from './jobs/list-jobs.ts';
import { createVault } from './vaults/create-vault.ts';
import { deleteVault } from './vaults/delete-vault.ts';
import { describeVault } from './vaults/describe-vault.ts';
import { listVaults } from './vaults/list-vaults.ts';

/** The handler of each operation that is built: a missing one does not compile. */
export const handlers = {
  CreateVault: createVault,
  DescribeVault: describeVault,
  ListVaults: listVaults,
  DeleteVault: deleteVault,
  UploadArchive: uploadArchive,
  DeleteArchive: deleteArchive,
  InitiateJob: initiateJob,
  DescribeJob: describeJob,
  ListJobs: listJobs,
  GetJobOutput: getJobOutput,
} satisfies { readonly [N in BuiltOperationName]: Handler<N, keyof Services> };
