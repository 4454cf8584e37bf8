import { type Handler, vaultOf } from '../handler.ts';

export const uploadMultipartPart: Handler<'UploadMultipartPart', 'uploads'> = async (
  input,
  { uploads },
  call,
) => {
  const { treeHash } = await uploads.putPart({
    vault: vaultOf(input, call),
    uploadId: input.uploadId,
    range: input.range,
    treeHash: input.checksum,
    body: input.body,
    signal: call.signal,
  });
  return { checksum: treeHash };
};
