import assert from 'node:assert/strict';
import test from 'node:test';
import { goingOn } from '../../tests/support/domain.ts';
import { SimulatedClock } from '../lib/clock.ts';
import { KeepReserve } from './keep-reserve.ts';

test('the reserve is looked after every five seconds', async () => {
  const clock = new SimulatedClock();
  let count = 0;
  const restore = async () => {
    count += 1;
    return count > 1;
  };
  const worker = new KeepReserve({ reserve: { restore }, clock });
  for (const expected of [1, 2, 3]) {
    assert.equal(await worker.step(goingOn), 'idle');
    assert.equal(count, expected);
    const wake = worker.wake(goingOn);
    clock.advance(5000);
    await wake;
  }
});

test('a stop ends the worker before it looks', async () => {
  const clock = new SimulatedClock();
  const restore = async () => assert.fail('it looked');
  const worker = new KeepReserve({ reserve: { restore }, clock });
  const reason = new Error('stopped');
  await assert.rejects(worker.step(AbortSignal.abort(reason)), reason);
});
