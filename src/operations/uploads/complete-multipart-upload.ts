import { vaultPath } from '../../protocol/names.ts';
import { type Handler, vaultOf } from '../handler.ts';

export const completeMultipartUpload: Handler<'CompleteMultipartUpload', 'uploads'> = async (
  input,
  { uploads },
  call,
) => {
  const vault = vaultOf(input, call);
  const { archiveId, treeHash } = await uploads.complete({
    vault,
    uploadId: input.uploadId,
    archiveSize: input.archiveSize,
    treeHash: input.checksum,
    signal: call.signal,
  });
  return {
    location: `${vaultPath(vault)}/archives/${archiveId}`,
    archiveId,
    checksum: treeHash,
  };
};
