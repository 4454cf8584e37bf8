import { type Handler, vaultOf } from '../handler.ts';

export const abortMultipartUpload: Handler<'AbortMultipartUpload', 'uploads'> = async (
  input,
  { uploads },
  call,
) => {
  await uploads.abort({ vault: vaultOf(input, call), uploadId: input.uploadId });
  return {};
};
