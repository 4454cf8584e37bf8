import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WatchedSource } from './blob-specimen.ts';
import { SourceReader } from './source-reader.ts';

test('1. a source that was not read to its end is returned, once', async () => {
  const source = new WatchedSource([Uint8Array.of(1), Uint8Array.of(2)], 'end');
  const reader = new SourceReader(source);
  assert.deepEqual(await reader.next(), Uint8Array.of(1));
  await reader[Symbol.asyncDispose]();
  await reader[Symbol.asyncDispose]();
  assert.equal(source.returns, 1);
});

test('1. a source that ended, or threw, is left alone', async () => {
  for (const atEnd of ['end', new Error('thrown')] as const) {
    const source = new WatchedSource([], atEnd);
    const reader = new SourceReader(source);
    if (atEnd === 'end') assert.equal(await reader.next(), undefined);
    else await assert.rejects(reader.next(), atEnd);
    await reader[Symbol.asyncDispose]();
    assert.equal(source.returns, 0);
  }
});

test('2. an interruption ends the wait, and every later one', async () => {
  const source = new WatchedSource([], 'stall');
  const reader = new SourceReader(source);
  const waiting = assert.rejects(reader.next(), { message: 'first' });
  await source.stalled;
  reader.interrupt(new Error('first'));
  reader.interrupt(new Error('second'));
  await waiting;
  await assert.rejects(reader.next(), { message: 'first' });
  assert.equal(source.pulls, 1);
});

test('a source that fails to close changes nothing', async () => {
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false as const, value: Uint8Array.of(1) }),
      return: () => {
        throw new Error('cannot close');
      },
    }),
  };
  const reader = new SourceReader(source);
  await reader.next();
  await reader[Symbol.asyncDispose]();
});
