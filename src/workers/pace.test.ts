import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SimulatedClock } from '../lib/clock.ts';
import { paceOf, restMs } from './pace.ts';

const limits = { bytesPerSecondMin: 1_000, bytesPerSecondMax: 100_000 };

test('the pace is what is needed to be done in time', () => {
  assert.equal(paceOf({ leftBytes: 50_000, leftMs: 10_000 }, limits), 5_000);
});

test('the pace is never below the least, so that little is done soon', () => {
  assert.equal(paceOf({ leftBytes: 1, leftMs: 10_000 }, limits), 1_000);
  assert.equal(paceOf({ leftBytes: 0, leftMs: 10_000 }, limits), 1_000);
  assert.equal(paceOf({ leftBytes: -5, leftMs: 10_000 }, limits), 1_000);
});

test('the pace is never above the most, also when the time is over', () => {
  assert.equal(paceOf({ leftBytes: 1e12, leftMs: 10 }, limits), 100_000);
  assert.equal(paceOf({ leftBytes: 1, leftMs: 0 }, limits), 100_000);
  assert.equal(paceOf({ leftBytes: 0, leftMs: -1e12 }, limits), 100_000);
});

test('a most that is below the least is what counts', () => {
  const strict = { bytesPerSecondMin: 1_000, bytesPerSecondMax: 10 };
  assert.equal(paceOf({ leftBytes: 1, leftMs: 1 }, strict), 10);
});

test('reading and resting together keep the pace', () => {
  assert.equal(restMs({ bytes: 500, tookMs: 0, bytesPerSecond: 1_000 }), 500);
  assert.equal(restMs({ bytes: 500, tookMs: 200, bytesPerSecond: 1_000 }), 300);
  assert.equal(restMs({ bytes: 500, tookMs: 700, bytesPerSecond: 1_000 }), 0);
});

test('a clock that jumps while reading costs one rest at most, and never a long wait', () => {
  assert.equal(restMs({ bytes: 500, tookMs: -1e12, bytesPerSecond: 1_000 }), 500);
  assert.equal(restMs({ bytes: 500, tookMs: 1e12, bytesPerSecond: 1_000 }), 0);
});

/** Reads `totalBytes` in slices within `periodMs`; answers when each slice was begun. */
function readAll({
  totalBytes,
  periodMs,
  sliceBytes,
  tookMs,
}: {
  readonly totalBytes: number;
  readonly periodMs: number;
  readonly sliceBytes: number;
  /** How long the slice with this number takes. */
  readonly tookMs: (slice: number) => number;
}) {
  const clock = new SimulatedClock(0);
  const begunAtMs: number[] = [];
  for (let doneBytes = 0; doneBytes < totalBytes; doneBytes += sliceBytes) {
    const beginsAtMs = clock.now();
    begunAtMs.push(beginsAtMs);
    clock.advance(tookMs(begunAtMs.length));
    const left = { leftBytes: totalBytes - doneBytes, leftMs: periodMs - beginsAtMs };
    const bytesPerSecond = paceOf(left, limits);
    clock.advance(restMs({ bytes: sliceBytes, tookMs: clock.now() - beginsAtMs, bytesPerSecond }));
  }
  return { begunAtMs, endedAtMs: clock.now() };
}

test('a round ends when its period does, steadily', () => {
  const { begunAtMs, endedAtMs } = readAll({
    totalBytes: 10_000_000,
    periodMs: 1_000_000,
    sliceBytes: 10_000,
    tookMs: () => 300,
  });
  assert.ok(Math.abs(endedAtMs - 1_000_000) < 2_000, `${endedAtMs}`);
  const halfway = begunAtMs[500] ?? 0;
  assert.ok(Math.abs(halfway - 500_000) < 2_000, `${halfway}`);
});

test('what was slept over is made up for over all that is left, and not in a burst', () => {
  const { begunAtMs, endedAtMs } = readAll({
    totalBytes: 10_000_000,
    periodMs: 1_000_000,
    sliceBytes: 10_000,
    tookMs: (slice) => (slice === 200 ? 400_000 : 0),
  });
  assert.ok(Math.abs(endedAtMs - 1_000_000) < 2_000, `${endedAtMs}`);
  const pauses = begunAtMs.slice(1).map((at, index) => at - (begunAtMs[index] ?? 0));
  // Eight million bytes in four hundred thousand milliseconds: ten thousand take five hundred.
  for (const pause of pauses.slice(200, 300)) assert.ok(pause > 450 && pause < 550, `${pause}`);
});

test('over any stretch no more is read than the highest pace allows, and one slice', () => {
  const took = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(took, fc.integer({ min: 1, max: 2_000_000 }), (times, periodMs) => {
      const sliceBytes = 10_000;
      const tookMs = (slice: number) => times[slice % times.length] ?? 0;
      const { begunAtMs } = readAll({ totalBytes: 1_000_000, periodMs, sliceBytes, tookMs });
      for (const [index, at] of begunAtMs.slice(1).entries()) {
        const passedMs = at - (begunAtMs[index] ?? 0);
        assert.ok(passedMs >= 100 - 1e-6, `${sliceBytes} bytes in ${passedMs} ms`);
      }
    }),
  );
});
