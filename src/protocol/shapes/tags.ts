import { accountId, body, required, vaultName } from './members.ts';
import type { Shape } from './shape.ts';

export const tagShapes = {
  AddTagsToVault: {
    input: { accountId, vaultName, tags: required(body('Tags', { map: 'string' })) },
    output: {},
  },
  ListTagsForVault: {
    input: { accountId, vaultName },
    output: { tags: required(body('Tags', { map: 'string' })) },
  },
  RemoveTagsFromVault: {
    input: { accountId, vaultName, tagKeys: required(body('TagKeys', { list: 'string' })) },
    output: {},
  },
} as const satisfies Record<string, Shape>;
