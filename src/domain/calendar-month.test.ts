import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { daysInMonth, oneMonthAfter } from './calendar-month.ts';

fc.configureGlobal({ seed: 20_260_131 });

const iso = (ms: number) => new Date(ms).toISOString();
const after = (text: string) => iso(oneMonthAfter(Date.parse(text)));

test('a month later is the same day and time of the next month, with milliseconds cut', () => {
  const cases = {
    '2017-01-12T20:51:33.031Z': '2017-02-12T20:51:33.000Z',
    '2020-02-18T19:59:24.912Z': '2020-03-18T19:59:24.000Z',
    '2026-06-30T23:59:59.999Z': '2026-07-30T23:59:59.000Z',
    '2026-11-01T00:00:00.000Z': '2026-12-01T00:00:00.000Z',
  };
  for (const [start, end] of Object.entries(cases)) assert.equal(after(start), end);
});

test('a day that the next month has not becomes its last one', () => {
  const cases = {
    '2026-01-31T14:26:33.031Z': '2026-02-28T14:26:33.000Z',
    '2026-01-30T12:00:00.000Z': '2026-02-28T12:00:00.000Z',
    '2026-01-29T12:00:00.000Z': '2026-02-28T12:00:00.000Z',
    '2026-01-28T12:00:00.000Z': '2026-02-28T12:00:00.000Z',
    '2028-01-31T12:00:00.000Z': '2028-02-29T12:00:00.000Z',
    '2028-01-30T12:00:00.000Z': '2028-02-29T12:00:00.000Z',
    '2028-01-29T12:00:00.000Z': '2028-02-29T12:00:00.000Z',
    '2100-01-29T12:00:00.000Z': '2100-02-28T12:00:00.000Z',
    '2000-01-31T12:00:00.000Z': '2000-02-29T12:00:00.000Z',
    '2026-08-31T12:00:00.000Z': '2026-09-30T12:00:00.000Z',
    '2026-03-31T12:00:00.000Z': '2026-04-30T12:00:00.000Z',
    '2026-07-31T12:00:00.000Z': '2026-08-31T12:00:00.000Z',
  };
  for (const [start, end] of Object.entries(cases)) assert.equal(after(start), end);
});

test('the last day of a short month stays that day, and is not the last of the next', () => {
  assert.equal(after('2026-02-28T12:00:00.000Z'), '2026-03-28T12:00:00.000Z');
  assert.equal(after('2026-04-30T12:00:00.000Z'), '2026-05-30T12:00:00.000Z');
});

test('December is followed by January of the next year', () => {
  assert.equal(after('2026-12-31T23:59:59.999Z'), '2027-01-31T23:59:59.000Z');
  assert.equal(after('2026-12-15T00:00:00.001Z'), '2027-01-15T00:00:00.000Z');
});

test('a month has the days that its calendar says', () => {
  const days = { '2026-02': 28, '2028-02': 29, '2100-02': 28, '2000-02': 29, '2026-12': 31 };
  for (const [month, count] of Object.entries(days)) {
    assert.equal(daysInMonth(Date.parse(`${month}-01T00:00:00.000Z`)), count);
    assert.equal(daysInMonth(Date.parse(`${month}-${count}T23:59:59.999Z`)), count);
  }
});

const times = fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2400, 0) });

test('whenever it starts, it ends in the next month, at that time of day, on the nearest day', () => {
  fc.assert(
    fc.property(times, (startMs) => {
      const start = new Date(startMs);
      const end = new Date(oneMonthAfter(startMs));
      const monthsOf = (at: Date) => at.getUTCFullYear() * 12 + at.getUTCMonth();
      assert.equal(monthsOf(end), monthsOf(start) + 1);
      assert.equal(end.toISOString().slice(11), `${start.toISOString().slice(11, 19)}.000Z`);
      const isClamped = end.getUTCDate() < start.getUTCDate();
      assert.ok(end.getUTCDate() <= start.getUTCDate());
      // The day after it is in the month after that.
      const next = new Date(end.getTime() + 86_400_000);
      assert.ok(!isClamped || monthsOf(next) === monthsOf(end) + 1);
    }),
  );
});

test('what starts later ends later, unless both end on one day', () => {
  fc.assert(
    fc.property(times, fc.nat(40 * 86_400_000), (startMs, laterMs) => {
      const endMs = oneMonthAfter(startMs);
      const laterEndMs = oneMonthAfter(startMs + laterMs);
      const isOneDay = iso(endMs).slice(0, 10) === iso(laterEndMs).slice(0, 10);
      assert.ok(isOneDay || laterEndMs > endMs);
    }),
  );
});
