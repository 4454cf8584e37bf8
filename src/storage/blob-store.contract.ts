import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blobContentCases } from './blob-content.contract.ts';
import { blobCrashCases } from './blob-crash.contract.ts';
import { blobFailureCases } from './blob-failure.contract.ts';
import type { BlobStoreSubject } from './blob-specimen.ts';

const cases = [...blobContentCases, ...blobFailureCases, ...blobCrashCases];

/** What every blob store promises. Declares one test for each promise. */
export function blobStoreContract(name: string, subject: BlobStoreSubject): void {
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
