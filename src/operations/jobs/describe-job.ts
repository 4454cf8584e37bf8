import { type Handler, vaultOf } from '../handler.ts';

export const describeJob: Handler<'DescribeJob', 'jobs'> = (input, { jobs }, call) =>
  jobs.describe(vaultOf(input, call), input.jobId);
