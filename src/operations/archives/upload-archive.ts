import { vaultPath } from '../../protocol/names.ts';
import { type Handler, vaultOf } from '../handler.ts';

export const uploadArchive: Handler<'UploadArchive', 'archives'> = async (
  input,
  { archives },
  call,
) => {
  const vault = vaultOf(input, call);
  const { archiveId, treeHash } = await archives.store({
    vault,
    description: input.archiveDescription,
    treeHash: input.checksum,
    body: input.body,
    signal: call.signal,
  });
  return {
    location: `${vaultPath(vault)}/archives/${archiveId}`,
    archiveId,
    checksum: treeHash,
  };
};
