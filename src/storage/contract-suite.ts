import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

/** One promise of a contract. */
export interface ContractCase<S> {
  /** A sentence about behaviour. */
  readonly title: string;
  readonly run: (specimen: S) => Promise<void>;
}

/** What a contract is held against. */
export interface ContractSubject<S extends AsyncDisposable> {
  readonly open: () => Promise<S>;
  /** Cases that the backend does not promise, each with the reason, which is printed. */
  readonly except?: Readonly<Record<string, string>>;
}

/** Declares one test for each promise. */
export function declareContract<S extends AsyncDisposable>(
  name: string,
  cases: readonly ContractCase<S>[],
  { open, except = {} }: ContractSubject<S>,
): void {
  describe(name, () => {
    test('its exceptions name cases of the contract', () => {
      const titles = new Set(cases.map(({ title }) => title));
      for (const title of Object.keys(except)) assert.ok(titles.has(title), title);
    });
    for (const { title, run } of cases) {
      const reason = except[title];
      test(title, { skip: reason ?? false }, async () => {
        await using specimen = await open();
        await run(specimen);
      });
    }
  });
}
