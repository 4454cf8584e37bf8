import { type Handler, vaultOf } from '../handler.ts';

export const removeTagsFromVault: Handler<'RemoveTagsFromVault', 'tags'> = async (
  input,
  { tags },
  call,
) => {
  await tags.remove(vaultOf(input, call), input.tagKeys);
  return {};
};
