import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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
