import { type Handler, vaultOf } from '../handler.ts';

export const listJobs: Handler<'ListJobs', 'jobs'> = async (input, { jobs }, call) => {
  const page = await jobs.list(vaultOf(input, call), input);
  return { jobList: page.jobs, marker: page.marker };
};
