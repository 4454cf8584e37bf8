import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { checkFreshness, formatTimestamp, parseDateHeader, parseTimestamp } from './sigv4-date.ts';

const minuteMs = 60_000;
const skewMs = 5 * minuteMs;

test('a moment survives being written and read', () => {
  const moments = fc.date({
    min: new Date('1000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moments, (date) => {
      const timestampMs = Math.floor(date.getTime() / 1000) * 1000;
      const timestamp = formatTimestamp(date.getTime());
      assert.match(timestamp, /^\d{8}T\d{6}Z$/);
      assert.deepEqual(parseTimestamp(timestamp), { timestamp, timestampMs });
      assert.deepEqual(parseDateHeader(date.toUTCString()), { timestamp, timestampMs });
    }),
  );
});

// biome-ignore format: a table reads best as a table
const dateHeaders: readonly [text: string, timestamp: string | undefined][] = [
  ['Fri, 25 May 2012 00:24:53 GMT',   '20120525T002453Z'],
  ['Fri, 25 May 2012 00:24:53 UTC',   '20120525T002453Z'],
  ['Fri, 25 May 2012 00:24:53 +0000', '20120525T002453Z'],
  ['Fri, 25 May 2012 00:24:53 -0000', '20120525T002453Z'],
  ['1 May 2012 00:24:53 GMT',         '20120501T002453Z'],
  ['20120525T002453Z',                '20120525T002453Z'],
  ['Fri, 25 May 2012 00:24:53 +0200', undefined],
  ['Fri, 25 Ebm 2012 00:24:53 GMT',   undefined],
  ['Fri, 32 May 2012 00:24:53 GMT',   undefined],
  ['Thu, 30 Feb 2012 00:24:53 GMT',   undefined],
  ['2012-05-25T00:24:53Z',            undefined],
  ['20120525T002453',                 undefined],
  ['20121325T002453Z',                undefined],
  ['20120230T002453Z',                undefined],
  ['20120525T242453Z',                undefined],
  ['20120525T006053Z',                undefined],
  ['yesterday',                       undefined],
  ['',                                undefined],
];

for (const [text, timestamp] of dateHeaders) {
  test(`the Date header ${JSON.stringify(text)} stands for ${timestamp ?? 'nothing'}`, () => {
    assert.equal(parseDateHeader(text)?.timestamp, timestamp);
  });
}

function freshness(timestamp: string, now: string, expiresSeconds?: number): string {
  const timestampMs = parseTimestamp(timestamp)?.timestampMs ?? Number.NaN;
  const nowMs = parseTimestamp(now)?.timestampMs ?? Number.NaN;
  try {
    checkFreshness({ timestamp, timestampMs, expiresSeconds }, nowMs + 999, skewMs);
    return 'fresh';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('a request is good for five minutes either way, to the second', () => {
  assert.equal(freshness('20121108T031304Z', '20121108T031804Z'), 'fresh');
  assert.equal(
    freshness('20121108T030749Z', '20121108T031804Z'),
    'Signature expired: 20121108T030749Z is now earlier than 20121108T031304Z ' +
      '(20121108T031804Z - 5 min.)',
  );
  assert.match(freshness('20121108T031303Z', '20121108T031804Z'), /^Signature expired/);
  assert.equal(freshness('20121108T032304Z', '20121108T031804Z'), 'fresh');
  assert.equal(
    freshness('20121108T032305Z', '20121108T031804Z'),
    'Signature not yet current: 20121108T032305Z is still later than 20121108T032304Z ' +
      '(20121108T031804Z + 5 min.)',
  );
});

test('a presigned URL is good from five minutes before its date until it expires', () => {
  assert.equal(freshness('20121108T030000Z', '20121108T025500Z', 3600), 'fresh');
  assert.match(freshness('20121108T030000Z', '20121108T025459Z', 3600), /^Signature not yet/);
  assert.equal(freshness('20121108T030000Z', '20121108T040000Z', 3600), 'fresh');
  assert.equal(
    freshness('20121108T030000Z', '20121108T040001Z', 3600),
    'Signature expired: 20121108T030000Z is now earlier than 20121108T030001Z ' +
      '(20121108T040001Z - 60 min.)',
  );
  assert.match(freshness('20121108T030000Z', '20121108T030100Z', 59), / - 59 sec\.\)$/);
});
