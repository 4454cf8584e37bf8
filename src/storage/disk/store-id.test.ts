import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isStoreError } from '../errors.ts';
import { FaultyFiles, fileError } from './faulty-files.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { holdsBlobs, readStoreId, storeIdPath, writeStoreId } from './store-id.ts';

const id = '000102030405060708090a0b0c0d0e0f';

test('an id that was written outlives a crash, and a second writing', async () => {
  const files = await directory();
  assert.equal(await readStoreId('/store', files), undefined);
  for (let time = 0; time < 2; time += 1) {
    await writeStoreId('/store', id, files);
    files.crash();
    assert.equal(await readStoreId('/store', files), id);
  }
});

test('a crash at any moment leaves the whole id or none, and it can be written then', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(12), fc.infiniteStream(fc.boolean()), async (deeds, coins) => {
      const files = await directory();
      let left = deeds;
      const faulty = new FaultyFiles(files, (deed) => {
        if (left-- <= 0) throw fileError('EIO', deed);
      });
      await writeStoreId('/store', id, faulty).catch(() => undefined);
      files.crash(() => coins.next().value === true);
      assert.ok([id, undefined].includes(await readStoreId('/store', files)));
      await writeStoreId('/store', id, files);
      files.crash();
      assert.equal(await readStoreId('/store', files), id);
    }),
    { seed: 20_260_104, numRuns: 100 },
  );
});

test('what is no id is refused by the name of its file', async () => {
  for (const content of ['', id, `${id}\n\n`, `${id.toUpperCase()}\n`.replace('0', 'x')]) {
    const files = await directory();
    await (await files.create(storeIdPath('/store'))).write(Buffer.from(content), 0);
    await assert.rejects(readStoreId('/store', files), (error) => {
      assert.ok(isStoreError(error, 'BlobCorrupt'));
      assert.ok(error.message.includes('/store/store.id'));
      return true;
    });
  }
});

test('a directory holds blobs when there is a segment or a large file', async () => {
  for (const name of ['large', 'segments']) {
    const files = await directory();
    assert.equal(await holdsBlobs('/store', files), false);
    for (const each of ['/store/v2', `/store/v2/${name}`]) await files.makeDirectory(each);
    assert.equal(await holdsBlobs('/store', files), false);
    await files.create(`/store/v2/${name}/0000000001`);
    assert.equal(await holdsBlobs('/store', files), true);
  }
});

async function directory(): Promise<SimulatedFiles> {
  const files = new SimulatedFiles('/');
  await files.makeDirectory('/store');
  await files.syncDirectory('/');
  return files;
}
