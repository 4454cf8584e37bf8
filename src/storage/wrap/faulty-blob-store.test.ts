import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import {
  listIds,
  readBytes,
  sampleBytes,
  sampleWriting,
  WatchedSource,
  writeBytes,
} from '../blob-specimen.ts';
import { blobStoreContract } from '../blob-store.contract.ts';
import { MemoryBlobStore } from '../memory/memory-blob-store.ts';
import { FaultyBlobStore } from './faulty-blob-store.ts';

const noAbility = 'the store inside is one in memory, whose own test has what it can do';

blobStoreContract('FaultyBlobStore without a fault', {
  open: async () => {
    const { store, clock, inner } = faultyStore();
    return {
      store,
      clock,
      setRoom: (bytes) => {
        inner.capacityBytes = inner.usedBytes + bytes;
      },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
  except: {
    'an acknowledged blob outlives a crash': noAbility,
    'an acknowledged removal outlives a crash': noAbility,
    'a crash leaves nothing of a write that was not acknowledged': noAbility,
    'blobs outlive a store that was closed': noAbility,
    'an id of before is not taken for a blob of today': noAbility,
    'a failed sync refuses writes until the store is opened again': noAbility,
    'a failed sync of a removal refuses writes until the store is opened again': noAbility,
    'a damaged byte never gives wrong bytes, and costs no other blob': noAbility,
    'a frame is read although another one of its blob is damaged': noAbility,
    'a damaged label is the loss of its own blob alone': noAbility,
  },
});

describe('FaultyBlobStore with a fault', () => {
  const error = new Error('ordered');
  const whole = { offsetBytes: 0, lengthBytes: 100 };

  test('a write fails before or in the middle, and leaves nothing', async () => {
    const { store } = faultyStore();
    store.order('write', { kind: 'fail', error, when: 'before' });
    store.order('write', { kind: 'fail', error, afterBytes: 50 }, 2);
    for (const _ of ['before', 'midway']) {
      await assert.rejects(writeBytes(store, sampleBytes(100)), error);
    }
    assert.equal(store.pendingCount, 0);
    assert.deepEqual(await listIds(store), []);
    await writeBytes(store, sampleBytes(100));
  });

  test('a write whose answer is lost has stored its blob', async () => {
    const { store } = faultyStore();
    store.order('write', { kind: 'fail', error, when: 'after' });
    await assert.rejects(writeBytes(store, sampleBytes(100)), error);
    assert.equal((await listIds(store)).length, 1);
  });

  test('a write that fails closes its source', async () => {
    const { store } = faultyStore();
    store.order('write', { kind: 'fail', error, afterBytes: 3 });
    const source = new WatchedSource([sampleBytes(100)], 'stall');
    await assert.rejects(store.write(source, sampleWriting()), error);
    assert.equal(source.returns, 1);
  });

  test('the nth call fails, and only it', async () => {
    const { store } = faultyStore();
    const { id } = await writeBytes(store, sampleBytes(100));
    store.order('read', { kind: 'fail', error, when: 'before' }, 2);
    store.order('describe', { kind: 'fail', error, when: 'before' }, 2);
    store.order('list', { kind: 'fail', error, when: 'after' }, 2);
    store.order('checkRoom', { kind: 'fail', error, when: 'before' }, 2);
    store.order('remove', { kind: 'fail', error, when: 'before' }, 1);
    await assert.rejects(store.remove(id), error);
    for (const call of [
      () => readBytes(store, id, whole),
      () => store.describe(id),
      () => store.checkRoom(),
      () => listIds(store),
    ]) {
      await call();
      await assert.rejects(call(), error);
      await call();
    }
    await store.remove(id);
    assert.deepEqual(await listIds(store), []);
  });

  test('a read fails after some bytes', async () => {
    const { store } = faultyStore();
    const { id } = await writeBytes(store, sampleBytes(100));
    store.order('read', { kind: 'fail', error, afterBytes: 30 });
    let readSoFar = 0;
    const reading = readBytes(store, id, whole, (chunk) => {
      readSoFar += chunk.length;
    });
    await assert.rejects(reading, error);
    assert.equal(readSoFar, 30);
  });

  test('a read hands on one wrong byte', async () => {
    const { store } = faultyStore();
    const bytes = sampleBytes(100);
    const { id } = await writeBytes(store, bytes);
    store.order('read', { kind: 'corrupt', atByte: 40 });
    const wrong = bytes.slice();
    wrong[40] = (wrong[40] ?? 0) ^ 1;
    assert.deepEqual(await readBytes(store, id, whole), wrong);
    assert.deepEqual(await readBytes(store, id, whole), bytes);
  });

  test('a call waits until the clock is turned', async () => {
    const { store, clock } = faultyStore();
    store.order('write', { kind: 'delay', ms: 1000 });
    let isDone = false;
    const written = writeBytes(store, sampleBytes(100)).finally(() => {
      isDone = true;
    });
    clock.advance(999);
    await Promise.resolve();
    assert.equal(isDone, false);
    clock.advance(1);
    await written;
  });
});

function faultyStore() {
  const clock = new SimulatedClock();
  const inner = new MemoryBlobStore({ clock, randomBytes: systemRandomBytes });
  return { store: new FaultyBlobStore(inner, clock), clock, inner };
}
