import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { sampleBytes, writeBytes } from '../blob-specimen.ts';
import { isStoreError } from '../errors.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { Layout, numbersIn } from './files.ts';

test('a removal that finds its segment gone lasts, though no mark was ever synced', async () => {
  await using specimen = await DiskSpecimen.simulated();
  const { segments } = new Layout(specimen.directory);
  const { id } = await writeBytes(specimen.store, sampleBytes(100));
  specimen.setSyncsFail(true);
  await assert.rejects(specimen.store.remove(id));
  specimen.setSyncsFail(false);
  // The mark is seen, so that nothing seems to live in the segment, and is not on the disk.
  await specimen.reopen();
  while ((await numbersIn(specimen.files, segments)).length > 0) await setImmediate();
  await specimen.store.remove(id);
  await specimen.crash();
  const isGone = (error: unknown) => isStoreError(error, 'BlobNotFound');
  await assert.rejects(specimen.store.describe(id), isGone);
});
