import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedSync } from './shared-sync.ts';

test('a request is answered by a sync that began after it', async () => {
  const turns: PromiseWithResolvers<void>[] = [];
  const sync = new SharedSync(() => {
    const turn = Promise.withResolvers<void>();
    turns.push(turn);
    return turn.promise;
  });
  const answered: string[] = [];
  const request = async (name: string) => {
    await sync.request();
    answered.push(name);
  };
  const all = [request('a')];
  await settle();
  all.push(request('b'), request('c'));
  await settle();
  assert.equal(turns.length, 1);
  turns[0]?.resolve();
  await settle();
  assert.deepEqual([answered, turns.length], [['a'], 2]);
  turns[1]?.resolve();
  await Promise.all(all);
  assert.deepEqual([answered, turns.length], [['a', 'b', 'c'], 2]);
});

test('a sync that fails is told to those who asked for it, and to nobody else', async () => {
  let runs = 0;
  const sync = new SharedSync(async () => {
    if (++runs === 1) throw new Error('first');
  });
  await assert.rejects(sync.request(), { message: 'first' });
  await sync.request();
  assert.equal(runs, 2);
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
