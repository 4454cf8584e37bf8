import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { inHouse, isUnavailable } from './recovery-specimen.ts';

describe('a database from a backup', () => {
  for (const what of ['gone', 'as old'] as const) {
    test(`is not used when a snapshot has more than it, and the journal is ${what}`, async () => {
      await inHouse(async (house) => {
        await house.fill('no snapshot');
        const journals = {
          gone: new MemoryJournal(),
          'as old': new MemoryJournal(house.journal.batches),
        };
        await copyFile(house.path, `${house.path}.old`);
        await house.fill('no snapshot');
        await house.fill('snapshot');
        await copyFile(`${house.path}.old`, house.path);
        house.journal = journals[what];
        await assert.rejects(house.open(), isUnavailable);
      });
    });
  }
});
