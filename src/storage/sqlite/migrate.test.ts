import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sha256Hex } from '../../lib/node/sha256.ts';
import { addArchive, listedBlobs, removeArchive, sampleRetrieval } from '../metadata-specimen.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { addUploadedArchive, uploadedBlobs } from '../metadata-upload-specimen.ts';
import { migrations } from './migrate.ts';
import { takeBackSchema } from './older-schema-specimen.ts';
import { inHouse } from './recovery-specimen.ts';
import { dumpTables } from './table-dump.ts';

describe('a database of an earlier version', () => {
  for (const last of Object.keys(migrations).slice(0, -1)) {
    test(`that ends with the migration ${last} keeps its rows, and takes new ones`, async () => {
      await inHouse(async (house) => {
        await house.fill('no snapshot');
        {
          await using store = await house.open();
          await store.write(({ jobs }) => jobs.insert(sampleRetrieval('job')));
          const verification = { verifiedAtMs: 9, damage: 'frame 3 is damaged' };
          await store.write(({ verifications }) => verifications.note([2], verification));
          // The number that it had is not given again.
          await addArchive(store, 'forgotten');
          await removeArchive(store, 'forgotten');
          await store.write(({ archives }) => archives.forget('forgotten'));
        }
        const before = dumpTables(house.path);
        const tables = await takeBackSchema(house.path, last);
        await using store = await house.open();
        const after = dumpTables(house.path);
        for (const table of tables) {
          // An older version knows nothing of the mark of a batch.
          if (table !== 'journal_position') assert.deepEqual(after[table], before[table], table);
        }
        await assertTakesArchives(store);
      });
    });
  }
});

test('a migration that databases may have gone through is never changed: a new one follows it', () => {
  const past = {
    '0001-first': '297407ba4885a00758b9f651bc71df2e0d76efd21ebd23266f909c64e9f404b9',
    '0002-history': '9c1d22e6ba574dc408dd893c26da2035d7569ce1e62953c62c716fe6216fac40',
  };
  for (const [name, sha256] of Object.entries(past)) {
    const text = readFileSync(join(import.meta.dirname, 'migrations', `${name}.ts`));
    assert.equal(sha256Hex(text), sha256, name);
  }
});

async function assertTakesArchives(store: MetadataStore): Promise<void> {
  await addArchive(store, 'one');
  await addUploadedArchive(store, 'two');
  await store.read(async ({ archives, verifications }) => {
    assert.deepEqual(await archives.blobs('archive 2'), listedBlobs('archive 2'));
    assert.deepEqual(await archives.blobs('one'), listedBlobs('one'));
    assert.deepEqual(await archives.blobs('two'), uploadedBlobs('two'));
    const listed = await verifications.list({ afterOrdinal: 3, limit: 9 });
    assert.deepEqual(
      listed.map(({ ordinal, archive }) => [ordinal, archive.archiveId]),
      [
        [5, 'one'],
        [6, 'two'],
      ],
    );
  });
}
