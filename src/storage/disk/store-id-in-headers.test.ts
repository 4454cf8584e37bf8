import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sampleBytes, writeBytes } from '../blob-specimen.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { FaultyFiles, fileError } from './faulty-files.ts';
import { Layout } from './files.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { storeIdInHeaders } from './store-id-in-headers.ts';

describe('storeIdInHeaders', () => {
  test('any file tells which store it belongs to', async () => {
    const fills = [
      (specimen: DiskSpecimen) => writeBytes(specimen.store, sampleBytes(100)),
      (specimen: DiskSpecimen) => writeBytes(specimen.store, sampleBytes(300_000)),
      (specimen: DiskSpecimen) => specimen.snapshots.write(once(), 1),
    ];
    for (const fill of fills) {
      await using specimen = await DiskSpecimen.simulated();
      const { directory, files } = specimen;
      assert.equal(await storeIdInHeaders(directory, files), undefined);
      await fill(specimen);
      assert.equal(await storeIdInHeaders(directory, files), specimen.storeId);
    }
    assert.equal(await storeIdInHeaders('/nowhere', new SimulatedFiles('/')), undefined);
  });

  test('a file that does not open, or whose header is damaged, leaves it to the others', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { directory, storeId } = specimen;
    await writeBytes(specimen.store, sampleBytes(100));
    await specimen.reopen();
    await writeBytes(specimen.store, sampleBytes(100));
    const layout = new Layout(directory);
    const unreadable = new Set([layout.segment(2)]);
    const files = new FaultyFiles(specimen.files, (deed, path) => {
      if (deed === 'open' && unreadable.has(path)) throw fileError('EIO', deed);
    });
    assert.equal(await storeIdInHeaders(directory, files), storeId);
    unreadable.add(layout.segment(1));
    assert.equal(await storeIdInHeaders(directory, files), undefined);
    const { name } = await specimen.snapshots.write(once(), 1);
    assert.equal(await storeIdInHeaders(directory, files), storeId);
    const snapshot = await specimen.files.open(join(layout.snapshots, name), 'read and write');
    await snapshot.truncate(100);
    assert.equal(await storeIdInHeaders(directory, files), undefined);
  });
});

async function* once() {
  yield sampleBytes(100);
}
