import { vaultPath } from '../../protocol/names.ts';
import { type Handler, vaultOf } from '../handler.ts';

export const initiateMultipartUpload: Handler<'InitiateMultipartUpload', 'uploads'> = async (
  input,
  { uploads },
  call,
) => {
  const vault = vaultOf(input, call);
  const uploadId = await uploads.initiate({
    vault,
    partSize: input.partSize,
    description: input.archiveDescription,
  });
  return { location: `${vaultPath(vault)}/multipart-uploads/${uploadId}`, uploadId };
};
