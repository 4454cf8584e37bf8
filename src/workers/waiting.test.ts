import assert from 'node:assert/strict';
import test from 'node:test';
import { Bell } from '../lib/bell.ts';
import { SimulatedClock } from '../lib/clock.ts';
import { waitForBellOrTime } from './waiting.ts';

function waiting(waitMs: number | null) {
  const clock = new SimulatedClock();
  const bell = new Bell();
  const stopping = new AbortController();
  let isOver = false;
  const wait = waitForBellOrTime({ bell, clock, waitMs, signal: stopping.signal });
  void wait.then(
    () => {
      isOver = true;
    },
    () => undefined,
  );
  const isWaiting = async () => {
    await new Promise(setImmediate);
    return !isOver;
  };
  return { clock, bell, stopping, wait, isWaiting };
}

test('a wait ends when its time has come', async () => {
  const { clock, wait, isWaiting } = waiting(1000);
  clock.advance(999);
  assert.equal(await isWaiting(), true);
  clock.advance(1);
  await wait;
});

test('a wait ends when the bell rings, long before its time', async () => {
  const { bell, wait } = waiting(1_000_000);
  bell.ring();
  await wait;
});

test('a wait without a time ends with the bell alone', async () => {
  const { clock, bell, wait, isWaiting } = waiting(null);
  clock.advance(1_000_000);
  assert.equal(await isWaiting(), true);
  bell.ring();
  await wait;
});

test('a wait ends with the reason of its signal', async () => {
  const { stopping, wait } = waiting(1000);
  const reason = new Error('stopped');
  stopping.abort(reason);
  await assert.rejects(wait, reason);
});

test('a ring after the time has come is kept for the next wait', async () => {
  const { clock, bell, wait, stopping } = waiting(1000);
  clock.advance(1000);
  await wait;
  bell.ring();
  await waitForBellOrTime({ bell, clock, waitMs: null, signal: stopping.signal });
});
