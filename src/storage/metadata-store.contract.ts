import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accountCases } from './metadata-accounts.contract.ts';
import { archiveCases } from './metadata-archives.contract.ts';
import { crashCases } from './metadata-crash.contract.ts';
import { forgettingCases } from './metadata-forgetting.contract.ts';
import { jobCases } from './metadata-jobs.contract.ts';
import type { MetadataStoreSubject } from './metadata-specimen.ts';
import { transactionCases } from './metadata-transactions.contract.ts';
import { vaultCases } from './metadata-vaults.contract.ts';

const cases = [
  ...transactionCases,
  ...crashCases,
  ...vaultCases,
  ...archiveCases,
  ...forgettingCases,
  ...jobCases,
  ...accountCases,
];

/** What every metadata store promises. Declares one test for each promise. */
export function metadataStoreContract(name: string, subject: MetadataStoreSubject): void {
  const except = subject.except ?? {};
  describe(name, () => {
    test('its exceptions name cases of the contract', () => {
      const titles = new Set(cases.map(({ title }) => title));
      for (const title of Object.keys(except)) assert.ok(titles.has(title), title);
    });
    for (const { title, run } of cases) {
      const reason = except[title];
      test(title, { skip: reason ?? false }, async () => {
        await using specimen = await subject.open();
        await run(specimen);
      });
    }
  });
}
