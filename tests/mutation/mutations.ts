import { checkMutations } from './check-mutations.ts';
import type { Mutation } from './mutation.ts';
import { orderMutations } from './order-mutations.ts';
import { syncMutations } from './sync-mutations.ts';

/** All that is broken on purpose, to see that the tests notice. `docs/durability.md` lists it. */
export const mutations: readonly Mutation[] = [
  ...syncMutations,
  ...orderMutations,
  ...checkMutations,
];
