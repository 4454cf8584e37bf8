import { type Handler, vaultOf } from '../handler.ts';

export const addTagsToVault: Handler<'AddTagsToVault', 'tags'> = async (input, { tags }, call) => {
  await tags.add(vaultOf(input, call), input.tags);
  return {};
};
