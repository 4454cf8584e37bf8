import assert from 'node:assert/strict';
import test from 'node:test';
import { goingOn, runUntilIdle } from '../../tests/support/domain.ts';
import { SimulatedClock } from '../lib/clock.ts';
import { SnapshotMetadata } from './snapshot-metadata.ts';

/** A taker whose copies are due as it is told, and that counts them. */
function takerOf(due: readonly boolean[], take: (signal: AbortSignal) => Promise<void>) {
  const looks = [...due];
  return { isSnapshotDue: async () => looks.shift() ?? false, takeSnapshot: take };
}

test('a copy is taken when one is due, and only then', async () => {
  const clock = new SimulatedClock();
  let count = 0;
  const taker = takerOf([false, true, false, true], async () => {
    count += 1;
  });
  const worker = new SnapshotMetadata({ snapshotTaker: taker, clock });
  for (const expected of [0, 1, 1, 2]) {
    await runUntilIdle(worker);
    assert.equal(count, expected);
  }
});

test('a copy that cannot be taken is tried again at the next look', async () => {
  const clock = new SimulatedClock();
  const error = new Error('the disk does not answer');
  let count = 0;
  const taker = takerOf([true, true], async () => {
    count += 1;
    if (count === 1) throw error;
  });
  const worker = new SnapshotMetadata({ snapshotTaker: taker, clock });
  await assert.rejects(worker.step(goingOn), error);
  await runUntilIdle(worker);
  assert.equal(count, 2);
});

test('a stop reaches the copy that is being taken', async () => {
  const clock = new SimulatedClock();
  const stopping = new AbortController();
  const reason = new Error('stopped');
  const taker = takerOf([true], async (signal) => {
    stopping.abort(reason);
    signal.throwIfAborted();
  });
  const worker = new SnapshotMetadata({ snapshotTaker: taker, clock });
  await assert.rejects(worker.step(stopping.signal), reason);
  await assert.rejects(worker.step(stopping.signal), reason);
});

test('the worker looks every ten seconds', async () => {
  const clock = new SimulatedClock();
  const worker = new SnapshotMetadata({ snapshotTaker: takerOf([], async () => {}), clock });
  const wake = worker.wake(goingOn);
  clock.advance(10_000);
  await wake;
});
