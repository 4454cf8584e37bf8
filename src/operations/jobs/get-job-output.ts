import { type Handler, vaultOf } from '../handler.ts';

export const getJobOutput: Handler<'GetJobOutput', 'jobs'> = async (input, { jobs }, call) => {
  const output = await jobs.output(vaultOf(input, call), input.jobId, input.range);
  const { firstByte, lastByte, sizeBytes, isPartial } = output;
  return {
    status: isPartial ? 206 : 200,
    contentType: output.contentType,
    acceptRanges: 'bytes',
    contentRange: isPartial ? `bytes ${firstByte}-${lastByte}/${sizeBytes}` : null,
    checksum: output.treeHash,
    archiveDescription: output.archiveDescription,
    body: { sizeBytes: lastByte - firstByte + 1, bytes: output.read(call.signal) },
  };
};
