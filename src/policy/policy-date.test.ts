// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies write their variables so.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parsePolicyDate } from './policy-date.ts';

for (const [written, ms] of [
  ['2026-01', Date.UTC(2026, 0, 1)],
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['2024-02-29', Date.UTC(2024, 1, 29)],
  ['2026-01-31T12:30Z', Date.UTC(2026, 0, 31, 12, 30)],
  ['2026-01-31T12:30:59Z', Date.UTC(2026, 0, 31, 12, 30, 59)],
  ['2026-01-31T12:30:59.25Z', Date.UTC(2026, 0, 31, 12, 30, 59, 250)],
  ['2026-01-31T12:30:00+02:00', Date.UTC(2026, 0, 31, 10, 30)],
  ['2026-01-31T22:30:00-05:30', Date.UTC(2026, 1, 1, 4, 0)],
  ['0001-01-01', Date.parse('0001-01-01')],
  ['1769862600', 1_769_862_600_000],
  ['1769862600.5', 1_769_862_600_500],
  ['-86400', -86_400_000],
  ['0', 0],
] as const) {
  test(`${written} is a date`, () => {
    assert.equal(parsePolicyDate(written), ms);
  });
}

for (const written of [
  ...['', 'tomorrow', '2026', '2026-1-1', '2026-13', '2026-00', '2026-02-29', '2026-01-32'],
  ...['2026-01-31T12:30:00', '2026-01-31 12:30:00Z', '2026-01-31T24:00:00Z', '2026-01-31T12:60Z'],
  ...['2026-01-31T12:30:60Z', '2026-01-31T12Z', '2026-01-31T12:30:00+24:00', '20260131T123000Z'],
  ...['2026-01-31T12:30:00.Z', '+002026-01-31', '1e9', '1e+21', '99999999999999', '9999999999999'],
  ...[' 1769862600', '${aws:CurrentTime}'],
]) {
  test(`${JSON.stringify(written)} is no date`, () => {
    assert.equal(parsePolicyDate(written), undefined);
  });
}

test('every moment is read alike as ISO 8601 and as seconds', () => {
  const seconds = fc.integer({ min: 100_000, max: 253_402_300_799 });
  fc.assert(
    fc.property(seconds, (value) => {
      assert.equal(parsePolicyDate(String(value)), value * 1000);
      assert.equal(parsePolicyDate(new Date(value * 1000).toISOString()), value * 1000);
    }),
  );
});
