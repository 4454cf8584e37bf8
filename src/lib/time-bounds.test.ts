import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RecordedLog } from '../../tests/support/recorded-log.ts';
import { SimulatedClock } from './clock.ts';
import { TimeBounds } from './time-bounds.ts';

fc.configureGlobal({ seed: 20_260_131 });

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const yearMs = 365 * dayMs;

function trial(longestMs = dayMs) {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 1));
  const log = new RecordedLog();
  const bounds = new TimeBounds({ clock, log, longestMs });
  const both = () => [bounds.earliest(), bounds.latest()];
  return { clock, log, bounds, both };
}

test('both bounds are what the clock says while nobody touches it', () => {
  const { clock, both, log } = trial();
  clock.advance(1000 * dayMs);
  assert.deepEqual(both(), [clock.now(), clock.now()]);
  clock.jump(5 * minuteMs);
  assert.deepEqual(both(), [clock.now(), clock.now()]);
  assert.deepEqual(log.events, []);
});

test('when the clock is set forward the earliest time goes on as it did, and it is told once', () => {
  const { clock, both, log } = trial();
  const beganMs = clock.now();
  clock.jump(yearMs);
  clock.advance(minuteMs);
  assert.deepEqual(both(), [beganMs + minuteMs, clock.now()]);
  clock.advance(dayMs - 1);
  assert.deepEqual(both(), [beganMs + minuteMs + dayMs - 1, clock.now()]);
  const facts = { from: '2026-01-01T00:01:00.000Z', to: '2027-01-01T00:01:00.000Z' };
  assert.deepEqual(log.events, [{ level: 'warn', event: 'clock.jumped', facts }]);
});

test('a clock that has kept to the new time for a day is believed', () => {
  const { clock, both, log } = trial();
  clock.jump(yearMs);
  both();
  clock.advance(dayMs);
  assert.deepEqual(both(), [clock.now(), clock.now()]);
  assert.deepEqual(log.names('warn'), ['clock.jumped', 'clock.believed']);
  const facts = { from: '2026-01-02T00:00:00.000Z', to: '2027-01-02T00:00:00.000Z' };
  assert.deepEqual(log.events.at(-1)?.facts, facts);
});

test('a jump is not believed sooner than what ends by it would have lasted', () => {
  const { clock, bounds } = trial(7 * dayMs);
  const beganMs = clock.now();
  clock.jump(yearMs);
  bounds.earliest();
  clock.advance(7 * dayMs - 1);
  assert.equal(bounds.earliest(), beganMs + 7 * dayMs - 1);
  clock.advance(1);
  assert.equal(bounds.earliest(), clock.now());
});

test('a clock that is set forward again is waited for again', () => {
  const { clock, bounds, log } = trial();
  const beganMs = clock.now();
  for (let time = 0; time < 3; time += 1) {
    clock.jump(yearMs);
    bounds.earliest();
    clock.advance(dayMs / 2);
  }
  assert.equal(bounds.earliest(), beganMs + 1.5 * dayMs);
  assert.deepEqual(log.names('warn'), ['clock.jumped', 'clock.jumped', 'clock.jumped']);
});

test('a clock that is set forward and back is as if it had never been', () => {
  const { clock, bounds, log } = trial();
  clock.jump(yearMs);
  bounds.earliest();
  clock.jump(-yearMs);
  assert.equal(bounds.earliest(), clock.now());
  clock.advance(10 * dayMs);
  assert.equal(bounds.earliest(), clock.now());
  assert.deepEqual(log.names('warn'), ['clock.jumped', 'clock.jumped']);
});

test('the earliest time follows a clock that is set back, and the latest goes on as it did', () => {
  const { clock, both, log } = trial();
  const beganMs = clock.now();
  clock.jump(-yearMs);
  clock.advance(minuteMs);
  assert.deepEqual(both(), [clock.now(), beganMs + minuteMs]);
  assert.deepEqual(log.names('warn'), ['clock.jumped']);
  clock.advance(minuteMs);
  assert.deepEqual(both(), [clock.now(), beganMs + 2 * minuteMs]);
  assert.deepEqual(log.names('warn'), ['clock.jumped']);
});

test('whatever is done to the clock, nothing ends early, and nobody waits too long', () => {
  const deeds = fc.tuple(fc.integer({ min: -400, max: 400 }), fc.nat({ max: 3 * 24 * 60 }));
  fc.assert(
    fc.property(fc.array(deeds, { maxLength: 30 }), fc.nat({ max: 48 }), (all, hours) => {
      const lastsMs = (hours * dayMs) / 24;
      const { clock, bounds } = trial(lastsMs);
      const begun: { elapsedMs: number; endsAtMs: number; dueAtMs: number }[] = [];
      for (const [days, minutes] of all) {
        begun.push({
          elapsedMs: clock.elapsedMs(),
          endsAtMs: clock.now() + lastsMs,
          dueAtMs: clock.now() + lastsMs,
        });
        clock.jump(days * dayMs);
        // As a worker does that looks once a minute.
        bounds.latest();
        for (let left = minutes; left > 0; left -= 30) {
          const [earliestMs, latestMs] = [bounds.earliest(), bounds.latest()];
          for (const { elapsedMs, endsAtMs, dueAtMs } of begun) {
            const ageMs = clock.elapsedMs() - elapsedMs;
            if (ageMs < lastsMs) assert.ok(earliestMs < endsAtMs);
            else assert.ok(latestMs >= dueAtMs);
          }
          clock.advance(30 * minuteMs);
        }
      }
    }),
    { numRuns: 200 },
  );
});
