import fc from 'fast-check';

/** One thing that happens in a storm. Numbers choose among what there is at that moment. */
export type StormStep = Deed | Hardship;

/** What somebody does with a store. */
export type Deed =
  | { readonly do: 'put'; readonly sizes: readonly number[] }
  | { readonly do: 'get'; readonly which: number; readonly from: number; readonly length: number }
  | { readonly do: 'remove'; readonly which: readonly number[] }
  | { readonly do: 'append'; readonly count: number }
  | { readonly do: 'forget'; readonly which: number }
  | { readonly do: 'snapshot' | 'compact' | 'verify' };

/** What befalls it. */
export type Hardship =
  | { readonly do: 'reopen' | 'kill' }
  | { readonly do: 'kill at'; readonly deed: number }
  | { readonly do: 'crash'; readonly chance: number }
  | { readonly do: 'crash at'; readonly deed: number; readonly chance: number }
  | { readonly do: 'fail a sync'; readonly dropped: 'kept' | 'unseen' | 'seen' }
  | { readonly do: 'fill'; readonly room: number }
  | { readonly do: 'flip'; readonly file: number; readonly offset: number; readonly bit: number };

/** Around what a store treats alike: nothing, within a sector, some, a file of its own, frames. */
const blobSizes = [0, 1, 100, 500, 3000, 9000, 40_000, 262_144, 262_145, 1_100_000];

const choice = fc.nat({ max: 999_983 });
const size = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...blobSizes.slice(0, 7)) },
  { weight: 1, arbitrary: fc.constantFrom(...blobSizes.slice(7)) },
);
const chance = fc.constantFrom(0, 30, 70, 100);

function step<K extends StormStep['do'], T extends object>(
  name: K,
  weight: number,
  members: { [M in keyof T]: fc.Arbitrary<T[M]> },
) {
  return { weight, arbitrary: fc.record({ do: fc.constant(name), ...members }) };
}

/** What may happen, and how often. */
export const stormSteps: fc.Arbitrary<StormStep[]> = fc.array(
  fc.oneof(
    step('put', 10, { sizes: fc.array(size, { minLength: 1, maxLength: 6 }) }),
    step('get', 4, { which: choice, from: choice, length: choice }),
    step('remove', 6, { which: fc.array(choice, { minLength: 1, maxLength: 5 }) }),
    step('append', 4, { count: fc.integer({ min: 1, max: 4 }) }),
    step('forget', 1, { which: choice }),
    step('snapshot', 1, {}),
    step('compact', 3, {}),
    step('verify', 2, {}),
    step('reopen', 2, {}),
    step('kill', 1, {}),
    step('kill at', 2, { deed: fc.nat({ max: 30 }) }),
    step('crash', 2, { chance }),
    step('crash at', 3, { deed: fc.nat({ max: 30 }), chance }),
    step('fail a sync', 1, { dropped: fc.constantFrom('kept', 'unseen', 'seen') }),
    step('fill', 1, { room: fc.nat({ max: 200_000 }) }),
    step('flip', 1, { file: choice, offset: choice, bit: fc.nat({ max: 7 }) }),
  ) as fc.Arbitrary<StormStep>,
  { minLength: 10, maxLength: 60, size: 'max' },
);
