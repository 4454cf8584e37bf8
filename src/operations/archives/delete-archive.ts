import { type Handler, vaultOf } from '../handler.ts';

export const deleteArchive: Handler<'DeleteArchive', 'archives'> = async (
  input,
  { archives },
  call,
) => {
  await archives.remove(vaultOf(input, call), input.archiveId);
  return {};
};
