import { type Handler, vaultOf } from '../handler.ts';

export const listParts: Handler<'ListParts', 'uploads'> = async (input, { uploads }, call) =>
  await uploads.listParts({ vault: vaultOf(input, call), uploadId: input.uploadId }, input);
