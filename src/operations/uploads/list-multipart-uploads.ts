import { type Handler, vaultOf } from '../handler.ts';

export const listMultipartUploads: Handler<'ListMultipartUploads', 'uploads'> = async (
  input,
  { uploads },
  call,
) => await uploads.list(vaultOf(input, call), input);
