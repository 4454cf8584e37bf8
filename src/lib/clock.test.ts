import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SimulatedClock, SystemClock } from './clock.ts';

fc.configureGlobal({ seed: 20_260_131 });

test('a simulated clock stands still until it is turned', async () => {
  const clock = new SimulatedClock(1000);
  let isAwake = false;
  const sleep = clock.sleep(10).then(() => {
    isAwake = true;
  });
  assert.equal(clock.now(), 1000);
  clock.advance(9);
  await new Promise(setImmediate);
  assert.equal(isAwake, false);
  clock.advance(1);
  await sleep;
  assert.equal(clock.now(), 1010);
});

test('turning a clock wakes those whose time has come, in the order of their times', async () => {
  const naps = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(naps, fc.integer({ min: 0, max: 60 }), async (times, untilMs) => {
      const clock = new SimulatedClock(0);
      const woken: number[] = [];
      for (const ms of times) void clock.sleep(ms).then(() => woken.push(ms));
      clock.advance(untilMs);
      await new Promise(setImmediate);
      const expected = times.filter((ms) => ms <= untilMs).sort((a, b) => a - b);
      assert.deepEqual(woken, expected);
    }),
  );
});

for (const [name, clock] of [
  ['a simulated clock', new SimulatedClock()],
  ['the machine’s clock', new SystemClock()],
] as const) {
  test(`sleep on ${name} ends with the reason of its signal`, async () => {
    const reason = new Error('stopped');
    const stopping = new AbortController();
    const sleep = clock.sleep(60_000, stopping.signal);
    stopping.abort(reason);
    await assert.rejects(sleep, reason);
    await assert.rejects(clock.sleep(60_000, stopping.signal), reason);
  });
}

test('a simulated clock that is set to another time wakes nobody, and nothing elapses', async () => {
  const clock = new SimulatedClock(1000);
  let isAwake = false;
  const sleep = clock.sleep(10).then(() => {
    isAwake = true;
  });
  const beganMs = clock.elapsedMs();
  clock.jump(1_000_000);
  await new Promise(setImmediate);
  assert.deepEqual([clock.now(), clock.elapsedMs() - beganMs, isAwake], [1_001_000, 0, false]);
  clock.jump(-2_000_000);
  clock.advance(10);
  await sleep;
  assert.deepEqual([clock.now(), clock.elapsedMs() - beganMs], [-998_990, 10]);
});

test('the machine’s clock tells how much time elapses', async () => {
  const clock = new SystemClock();
  const beganMs = clock.elapsedMs();
  await clock.sleep(5);
  const tookMs = clock.elapsedMs() - beganMs;
  assert.ok(tookMs > 3 && tookMs < 5000, `${tookMs} ms`);
});

test('the machine’s clock tells its time and sleeps no longer than it has to', async () => {
  const clock = new SystemClock();
  const before = Date.now();
  await clock.sleep(-1);
  await clock.sleep(2, new AbortController().signal);
  const now = clock.now();
  assert.ok(now >= before && now <= Date.now());
});

test('the machine’s clock does not wake at once from a sleep that no timer can measure', async () => {
  const stopping = new AbortController();
  let isAwake = false;
  const sleep = new SystemClock().sleep(2 ** 40, stopping.signal).then(
    () => {
      isAwake = true;
    },
    () => undefined,
  );
  await new SystemClock().sleep(10);
  assert.equal(isAwake, false);
  stopping.abort(new Error('enough'));
  await sleep;
});
