import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { GlacierError } from '../protocol/errors.ts';
import { parseInventoryDate } from './inventory-dates.ts';

fc.configureGlobal({ seed: 20_260_131 });

const ms = Date.UTC(2013, 2, 20, 17, 3, 43);

// biome-ignore format: a table reads best as a table
const accepted: readonly [text: string, ms: number][] = [
  ['2013-03-20T17:03:43Z',           ms],
  ['2013-03-20T17:03:43',            ms],
  ['2013-03-20T17:03:43UTC',         ms],
  ['2013-03-20T17:03:43GMT',         ms],
  ['2013-03-20T17:03:43 UTC',        ms],
  ['2013-03-20T18:33:43+01:30',      ms],
  ['2013-03-20T18:33:43+0130',       ms],
  ['2013-03-20T12:03:43-05:00',      ms],
  ['2013-03-20T17:03:43+00:00',      ms],
  ['2013-03-20T17:03:43.5Z',         ms + 500],
  ['2013-03-20T17:03:43.123Z',       ms + 123],
  ['2013-03-20T17:03:43.123999999Z', ms + 123],
  ['2012-02-29T00:00:00Z',           Date.UTC(2012, 1, 29)],
];

for (const [text, expected] of accepted) {
  test(`"${text}" is a date`, () => {
    assert.equal(parseInventoryDate(text), expected);
  });
}

for (const text of [
  '',
  'yesterday',
  '1363799023',
  '2013-03-20',
  '2013-03-20T17:03Z',
  '2013-03-20 17:03:43Z',
  '2013-3-20T17:03:43Z',
  '2013-02-30T00:00:00Z',
  '2013-02-29T00:00:00Z',
  '2013-13-01T00:00:00Z',
  '2013-00-10T00:00:00Z',
  '2013-03-20T25:03:43Z',
  '2013-03-20T17:60:43Z',
  '2013-03-20T17:03:60Z',
  '2013-03-20T17:03:43PST',
  '2013-03-20T17:03:43+1',
  '2013-03-20T17:03:43+25:00',
  '2013-03-20T17:03:43.Z',
  '20130320T170343Z',
  '+002013-03-20T17:03:43Z',
  '2013-03-20T17:03:43Z ',
]) {
  test(`"${text}" is no date`, () => {
    const refused = new GlacierError('InvalidParameterValueException', `Invalid date: ${text}`);
    assert.throws(() => parseInventoryDate(text), refused);
  });
}

const times = fc.date({
  min: new Date('0001-01-02T00:00:00Z'),
  max: new Date('9999-12-30T00:00:00Z'),
  noInvalidDate: true,
});

test('a date that was written is read as the time that it was', () => {
  fc.assert(
    fc.property(times, (time) => {
      assert.equal(parseInventoryDate(time.toISOString()), time.getTime());
    }),
  );
});

test('a date says the same in every zone', () => {
  fc.assert(
    fc.property(times, fc.integer({ min: -14 * 60, max: 14 * 60 }), (time, offsetMinutes) => {
      const local = new Date(time.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
      const [hours, minutes] = [Math.trunc(Math.abs(offsetMinutes) / 60), offsetMinutes % 60];
      const digits = [hours, Math.abs(minutes)].map((part) => String(part).padStart(2, '0'));
      const sign = offsetMinutes < 0 ? '-' : '+';
      for (const colon of [':', '']) {
        const text = `${local}${sign}${digits.join(colon)}`;
        assert.equal(parseInventoryDate(text), time.getTime(), text);
      }
    }),
  );
});

test('no text makes reading a date throw anything but 400', () => {
  const digits = fc.constantFrom(...'0123456789-:TZ+. ');
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: digits, maxLength: 30 }),
    fc.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{4})?$/),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        assert.ok(Number.isSafeInteger(parseInventoryDate(text)));
      } catch (error) {
        assert.ok(error instanceof GlacierError, String(error));
        assert.equal(error.code, 'InvalidParameterValueException');
      }
    }),
  );
});
