import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FaultyFiles, fileError } from './faulty-files.ts';
import type { OpenFile } from './files.ts';
import { SimulatedFiles } from './simulated-files.ts';

const text = (content: string) => new TextEncoder().encode(content);

describe('SimulatedFiles', () => {
  test('1. a crash keeps what was synced, of bytes and of names', async () => {
    const files = new SimulatedFiles('/');
    const file = await files.create('/a');
    await file.write(text('kept'), 0);
    await file.sync();
    await files.syncDirectory('/');
    await file.write(text('lost'), 2);
    await files.create('/b');
    await files.unlink('/a');
    files.crash();
    assert.deepEqual(await Array.fromAsync(files.list('/')), ['a']);
    assert.equal(await content(await files.open('/a')), 'kept');
  });

  test('1. a name that was synced does not bring bytes that were not', async () => {
    const files = new SimulatedFiles('/');
    const file = await files.create('/a');
    await file.write(text('lost'), 0);
    await files.syncDirectory('/');
    files.crash();
    assert.equal(await content(await files.open('/a')), '');
  });

  test('1. a rename loses the file at no crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.boolean()), fc.boolean(), async (coins, isSynced) => {
        const files = new SimulatedFiles('/');
        for (const directory of ['/x', '/y']) await files.makeDirectory(directory);
        await files.syncDirectory('/');
        await files.create('/x/a');
        await files.syncDirectory('/x');
        await files.rename('/x/a', '/y/a');
        if (isSynced) await files.syncDirectory('/y');
        files.crash(() => coins.next().value === true);
        const names = [...files.sizes().keys()];
        assert.ok(names.includes('/y/a') || (names.includes('/x/a') && !isSynced), `${names}`);
      }),
      { seed: 20_260_103, numRuns: 50 },
    );
  });

  test('2. of what was not synced any sectors survive', async () => {
    const files = new SimulatedFiles('/');
    const file = await files.create('/a');
    await files.syncDirectory('/');
    await file.write(new Uint8Array(1200).fill(1), 0);
    let turn = 0;
    files.crash(() => turn++ === 1);
    const bytes = new Uint8Array(2000);
    assert.equal(await (await files.open('/a')).read(bytes, 0), 1024);
    assert.deepEqual([bytes[511], bytes[512], bytes[1023]], [0, 1, 1]);
  });

  test('1. a directory is there after a crash when the one that it is in was synced', async () => {
    const files = new SimulatedFiles('/');
    await files.makeDirectory('/lost');
    files.crash();
    await assert.rejects(files.syncDirectory('/lost'), { code: 'ENOENT' });
    await files.makeDirectory('/kept');
    await files.syncDirectory('/');
    files.crash();
    await files.syncDirectory('/kept');
  });

  test('1. what is written while a sync runs is not covered by it', async () => {
    const files = new SimulatedFiles('/');
    const file = await files.create('/a');
    await files.syncDirectory('/');
    await file.write(text('kept'), 0);
    const syncing = file.sync();
    await Promise.all([file.write(text('lost'), 4), syncing]);
    files.crash();
    assert.equal(await content(await files.open('/a')), 'kept');
  });

  test('a failed sync loses bytes, which may be seen at once or not', async () => {
    for (const dropped of ['seen', 'unseen'] as const) {
      const files = new SimulatedFiles('/');
      const file = await files.create('/a');
      await file.write(text('kept'), 0);
      await file.sync();
      await files.syncDirectory('/');
      await file.write(text('lost'), 4);
      files.drop('/a', dropped);
      assert.equal(await content(file), dropped === 'seen' ? 'kept' : 'keptlost');
      await file.sync();
      files.crash(() => true);
      assert.equal(await content(await files.open('/a')), 'kept');
    }
  });

  test('3. a file that was open at a crash is of no use any more', async () => {
    const files = new SimulatedFiles('/');
    const file = await files.create('/a');
    files.crash();
    await assert.rejects(file.write(text('x'), 0), { code: 'EIO' });
    await assert.rejects(file.sync(), { code: 'EIO' });
  });

  test('errors are those of a file system', async () => {
    const files = new SimulatedFiles('/');
    await files.create('/a');
    await assert.rejects(files.create('/a'), { code: 'EEXIST' });
    await assert.rejects(files.open('/b'), { code: 'ENOENT' });
    await assert.rejects(files.unlink('/b'), { code: 'ENOENT' });
    await assert.rejects(files.create('/missing/a'), { code: 'ENOENT' });
  });
});

describe('FaultyFiles', () => {
  test('a write that fails has written half its bytes', async () => {
    let isFailing = false;
    const files = new FaultyFiles(new SimulatedFiles('/'), (deed) => {
      if (isFailing && deed === 'write') throw fileError('ENOSPC', deed);
    });
    const file = await files.create('/a');
    isFailing = true;
    await assert.rejects(file.write(text('abcd'), 0), { code: 'ENOSPC' });
    assert.equal(await content(file), 'ab');
    await assert.rejects(file.write(text('xy'), 0), { code: 'ENOSPC' });
    assert.equal(await content(file), 'ab', 'bytes within a sector do not change by halves');
  });

  test('nothing is done after a cut, and no file stays open', async () => {
    const files = new FaultyFiles(new SimulatedFiles('/'), () => {});
    const file = await files.create('/a');
    await files.cut();
    assert.equal(files.openCount, 0);
    await assert.rejects(file.read(new Uint8Array(1), 0), { code: 'EIO' });
    await assert.rejects(files.open('/a', 'read'), { code: 'EIO' });
  });
});

async function content(file: OpenFile): Promise<string> {
  const bytes = new Uint8Array(100);
  return new TextDecoder().decode(bytes.subarray(0, await file.read(bytes, 0)));
}
