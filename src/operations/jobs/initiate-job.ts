import { vaultPath } from '../../protocol/names.ts';
import { type Handler, vaultOf } from '../handler.ts';

export const initiateJob: Handler<'InitiateJob', 'jobs'> = async (input, { jobs }, call) => {
  const vault = vaultOf(input, call);
  const jobId = await jobs.initiate(vault, input);
  return { location: `${vaultPath(vault)}/jobs/${jobId}`, jobId };
};
