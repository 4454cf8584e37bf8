import assert from 'node:assert/strict';
import test from 'node:test';
import { SimulatedClock } from '../lib/clock.ts';
import { KeptAnswer } from './kept-answer.ts';

test('an answer is kept for a minute', async () => {
  const clock = new SimulatedClock();
  let asked = 0;
  const kept = new KeptAnswer(async () => ++asked, clock);
  assert.equal(await kept.get(), 1);
  clock.advance(59_999);
  assert.equal(await kept.get(), 1);
  clock.advance(1);
  assert.equal(await kept.get(), 2);
});

test('an answer that took three seconds is kept for five minutes', async () => {
  const clock = new SimulatedClock();
  let asked = 0;
  const slow = async () => {
    clock.advance(3_000);
    return ++asked;
  };
  const kept = new KeptAnswer(slow, clock);
  await kept.get();
  clock.advance(299_999);
  assert.equal(await kept.get(), 1);
  clock.advance(1);
  assert.equal(await kept.get(), 2);
});

test('an answer is kept as long as it says itself', async () => {
  const clock = new SimulatedClock();
  let asked = 0;
  const kept = new KeptAnswer(
    async () => ++asked,
    clock,
    (answer) => answer * 100_000,
  );
  await kept.get();
  clock.advance(99_999);
  assert.equal(await kept.get(), 1);
  clock.advance(1);
  assert.equal(await kept.get(), 2);
  clock.advance(199_999);
  assert.equal(await kept.get(), 2);
});

test('a clock that is set back or forward changes nothing in how long an answer is kept', async () => {
  for (const jumpMs of [-31_536_000_000, 31_536_000_000]) {
    const clock = new SimulatedClock();
    let asked = 0;
    const kept = new KeptAnswer(async () => ++asked, clock);
    await kept.get();
    clock.jump(jumpMs);
    clock.advance(59_999);
    assert.equal(await kept.get(), 1);
    clock.advance(1);
    assert.equal(await kept.get(), 2);
  }
});

test('those who ask at the same time share one answer', async () => {
  let asked = 0;
  const kept = new KeptAnswer(async () => ++asked, new SimulatedClock());
  assert.deepEqual(await Promise.all([kept.get(), kept.get()]), [1, 1]);
});

test('a question that failed is asked again', async () => {
  let asked = 0;
  const kept = new KeptAnswer(async () => {
    asked += 1;
    if (asked === 1) throw new Error('busy');
    return asked;
  }, new SimulatedClock());
  await assert.rejects(kept.get(), /busy/);
  assert.equal(await kept.get(), 2);
});
