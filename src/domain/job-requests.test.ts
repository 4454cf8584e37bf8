import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { GlacierError } from '../protocol/errors.ts';
import { type JobParameters, parseJobRequest } from './job-requests.ts';

fc.configureGlobal({ seed: 20_260_131 });

const archiveId = 'a'.repeat(138);
const retrieval = { type: 'archive-retrieval', archiveId };
const inventory = { type: 'inventory-retrieval' };
const topic = 'arn:aws:sns:us-east-1:012345678901:done';

const parse = (parameters: JobParameters) => parseJobRequest(parameters, 'us-east-1');
const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);

test('a retrieval needs no more than an archive: all of it, in the standard tier', () => {
  assert.deepEqual(parse(retrieval), {
    kind: 'archive-retrieval',
    archiveId,
    range: null,
    rangeText: '',
    tier: 'Standard',
    description: null,
    snsTopic: null,
  });
});

test('a retrieval is what it was asked for', () => {
  const asked = { retrievalByteRange: '1048576-2097151', tier: 'Bulk', description: 'why' };
  assert.deepEqual(parse({ ...retrieval, ...asked, sNSTopic: topic }), {
    kind: 'archive-retrieval',
    archiveId,
    range: { firstByte: 1_048_576, lastByte: 2_097_151 },
    rangeText: '1048576-2097151',
    tier: 'Bulk',
    description: 'why',
    snsTopic: topic,
  });
});

test('an inventory needs nothing: all of it, in JSON', () => {
  assert.deepEqual(parse(inventory), {
    kind: 'inventory-retrieval',
    format: 'JSON',
    startDate: null,
    endDate: null,
    limit: null,
    marker: null,
    description: null,
    snsTopic: null,
  });
});

test('what an inventory was asked for is kept letter by letter', () => {
  const bounds = {
    startDate: '2013-03-20T18:03:43+0100',
    endDate: '2013-03-20T17:03:43 UTC',
    limit: '0010',
    marker: 'marker',
  };
  const asked = { ...inventory, format: 'CSV', inventoryRetrievalParameters: bounds };
  assert.deepEqual(parse(asked), {
    kind: 'inventory-retrieval',
    format: 'CSV',
    ...bounds,
    description: null,
    snsTopic: null,
  });
});

test('the tier of an inventory has no effect, and neither has an empty set of parameters', () => {
  for (const tier of ['Bulk', 'bulk', 'Fast', '']) {
    assert.deepEqual(parse({ ...inventory, tier }), parse(inventory));
  }
  const empty = { ...inventory, inventoryRetrievalParameters: {} };
  assert.deepEqual(parse(empty), parse(inventory));
  assert.deepEqual(parse({ ...retrieval, inventoryRetrievalParameters: {} }), parse(retrieval));
});

test('a retrieval without an archive says what is missing', () => {
  const missing = 'Required parameter missing: archiveId';
  assert.throws(
    () => parse({ type: 'archive-retrieval' }),
    new GlacierError('MissingParameterValueException', missing),
  );
});

const bounds = (inventoryRetrievalParameters: JobParameters['inventoryRetrievalParameters']) => ({
  ...inventory,
  inventoryRetrievalParameters,
});

// biome-ignore format: a table reads best as a table
const refused: readonly [what: string, parameters: JobParameters, message: string][] = [
  ['an inventory of an archive', { ...inventory, archiveId },
    'The archive ID must not be specified for an inventory retrieval job'],
  ['a range of an inventory', { ...inventory, retrievalByteRange: '0-1048575' },
    'The retrieval byte range must not be specified for an inventory retrieval job'],
  ['an archive in a format', { ...retrieval, format: 'JSON' },
    'The format must not be specified for an archive retrieval job'],
  ['an archive with bounds of an inventory',
    { ...retrieval, inventoryRetrievalParameters: { limit: '1' } },
    'The inventory retrieval parameters must not be specified for an archive retrieval job'],
  ['an archive in a tier that is none', { ...retrieval, tier: 'bulk' }, 'Invalid tier: bulk'],
  ['a topic that is no ARN', { ...inventory, sNSTopic: 'done' },
    'Invalid SNS topic ARN: done'],
  ['a topic that is a queue', { ...inventory, sNSTopic: topic.replace('sns', 'sqs') },
    'Invalid SNS topic ARN: arn:aws:sqs:us-east-1:012345678901:done'],
  ['a topic of another partition', { ...retrieval, sNSTopic: topic.replace('aws', 'aws-cn') },
    'Invalid SNS topic ARN: arn:aws-cn:sns:us-east-1:012345678901:done'],
  ['a topic of another region', { ...retrieval, sNSTopic: topic.replace('us-east-1', 'eu-west-1') },
    'SNS topics must be in the local AWS region: arn:aws:sns:eu-west-1:012345678901:done'],
  ['a start that is no date', bounds({ startDate: 'May' }), 'Invalid date: May'],
  ['an end that is no date', bounds({ endDate: '2013-02-30T00:00:00Z' }),
    'Invalid date: 2013-02-30T00:00:00Z'],
  ['a start after the end',
    bounds({ startDate: '2013-03-21T00:00:00Z', endDate: '2013-03-20T00:00:00Z' }),
    'Invalid date: 2013-03-21T00:00:00Z is later than 2013-03-20T00:00:00Z'],
  ['no archives', bounds({ limit: '0' }), 'Invalid limit: 0'],
  ['less than no archives', bounds({ limit: '-1' }), 'Invalid limit: -1'],
  ['half an archive', bounds({ limit: '1.5' }), 'Invalid limit: 1.5'],
  ['a number of archives in words', bounds({ limit: 'ten' }), 'Invalid limit: ten'],
  ['no number of archives', bounds({ limit: '' }), 'Invalid limit: '],
];

for (const [what, parameters, message] of refused) {
  test(`a job for ${what} is refused`, () => {
    assert.throws(() => parse(parameters), invalid(message));
  });
}

for (const range of ['', '0', '-', '5-4', '0-', '-5', '0-1048575,', 'a-b', '0-9007199254740992']) {
  test(`"${range}" is no range of an archive`, () => {
    const message = `The retrieval byte range is not valid: ${range}`;
    assert.throws(() => parse({ ...retrieval, retrievalByteRange: range }), invalid(message));
  });
}

test('what lies just within the limits is taken', () => {
  const description = ` ~${'x'.repeat(1022)}`;
  assert.equal(parse({ ...retrieval, description }).description, description);
  const limit = '9007199254740991';
  parse(bounds({ limit }));
  parse(bounds({ limit: '1' }));
  const date = '2013-03-20T00:00:00Z';
  parse(bounds({ startDate: date, endDate: date }));
});

test('no parameters whatever make reading them throw anything but 400', () => {
  const text = fc.option(fc.string(), { nil: undefined });
  const parameters = fc.record({
    type: fc.constantFrom('archive-retrieval', 'inventory-retrieval'),
    archiveId: text,
    description: text,
    retrievalByteRange: text,
    tier: text,
    sNSTopic: text,
    inventoryRetrievalParameters: fc.record({ startDate: text, endDate: text, limit: text }),
  });
  fc.assert(
    fc.property(parameters, (asked) => {
      try {
        assert.equal(parse(asked).kind, asked.type);
      } catch (error) {
        assert.ok(error instanceof GlacierError, String(error));
        assert.match(error.code, /^(?:Invalid|Missing)ParameterValueException$/);
      }
    }),
  );
});
