import { type Handler, vaultOf } from '../handler.ts';

export const listTagsForVault: Handler<'ListTagsForVault', 'tags'> = async (
  input,
  { tags },
  call,
) => ({ tags: await tags.list(vaultOf(input, call)) });
