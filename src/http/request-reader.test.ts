import assert from 'node:assert/strict';
import test from 'node:test';
import type { OperationName } from '../protocol/operations.ts';
import { shapes } from '../protocol/shapes/all.ts';
import type { Shape } from '../protocol/shapes/shape.ts';
import { writeUtf8 } from './byte-text.ts';
import { readInput } from './request-reader.ts';

interface Given {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly document?: string | Uint8Array;
  readonly allowUtf8Descriptions?: boolean;
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}

/** The input without what every operation has, or the error as `<code>: <message>`. */
function read(operation: OperationName, given: Given): unknown {
  const { path = {}, query = {}, headers = {}, document = '' } = given;
  const shape: Shape = shapes[operation];
  const source = {
    path: { accountId: 'a', vaultName: 'v', archiveId: 'x', jobId: 'j', uploadId: 'u', ...path },
    query: new Map(Object.entries(query)),
    headers: new Map(Object.entries(headers)),
    document: typeof document === 'string' ? Buffer.from(document) : document,
    stream: noBytes(),
  };
  const rules = { allowUtf8Descriptions: given.allowUtf8Descriptions ?? false };
  try {
    const input = readInput(shape, source, rules) as Record<string, unknown>;
    const common = ['accountId', 'vaultName', 'body', 'jobId', 'uploadId'];
    return Object.fromEntries(Object.entries(input).filter(([key]) => !common.includes(key)));
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return `${String(error.code)}: ${error.message}`;
  }
}

const missing = 'MissingParameterValueException: Required parameter missing: ';
const invalid = 'InvalidParameterValueException: ';
const hashes = { 'x-amz-content-sha256': 'c', 'x-amz-sha256-tree-hash': 'abcd' };
const upload = { 'content-length': '7', ...hashes };

for (const [title, headers, expected] of [
  ['without a length', hashes, `${missing}Content-Length`],
  ['of no bytes', { ...upload, 'content-length': '0' }, `${invalid}Invalid Content-Length: 0`],
  [
    'of a byte more than 4 GiB',
    { ...upload, 'content-length': '4294967297' },
    `${invalid}Invalid Content-Length: 4294967297`,
  ],
  ['without its hash', { ...upload, 'x-amz-content-sha256': '' }, `${missing}x-amz-content-sha256`],
  [
    'without its tree hash',
    { ...upload, 'x-amz-sha256-tree-hash': '' },
    `${missing}x-amz-sha256-tree-hash`,
  ],
  [
    'with a tree hash that is no hexadecimal',
    { ...upload, 'x-amz-sha256-tree-hash': '000' },
    `${invalid}Invalid x-amz-sha256-tree-hash: 000`,
  ],
] as const) {
  test(`an upload ${title} is refused`, () => {
    assert.equal(read('UploadArchive', { headers }), expected);
  });
}

test('an upload of 4 GiB is accepted, whatever else its headers say', () => {
  const headers = { ...upload, 'content-length': '4294967296', 'x-unknown': 'x' };
  assert.deepEqual(read('UploadArchive', { headers }), {
    contentLength: 4_294_967_296,
    contentSha256: 'c',
    checksum: 'abcd',
  });
});

function describe(description: string, allowUtf8Descriptions = false): unknown {
  const headers = { ...upload, 'x-amz-archive-description': description };
  const input = read('UploadArchive', { headers, allowUtf8Descriptions });
  return typeof input === 'string'
    ? input
    : (input as Record<string, unknown>)['archiveDescription'];
}

test('a description of printable ASCII is taken as it is', () => {
  for (const text of ['a  b', '~', 'my%20file', '$& $1', 'x'.repeat(1024)]) {
    assert.equal(describe(text), text);
  }
});

test('an empty description is an empty text', () => {
  assert.equal(describe(''), '');
});

test('a part has as many bytes as its range, which is told before its hashes', () => {
  const part = { 'content-range': 'bytes 0-9/*', 'content-length': '11' };
  assert.equal(
    read('UploadMultipartPart', { headers: part }),
    `${invalid}Content-Range: bytes 0-9/* is incompatible with Content-Length: 11`,
  );
});

test('a description outside printable ASCII, or of more than 1,024 bytes, is refused', () => {
  const refusal = `${invalid}Invalid x-amz-archive-description: `;
  for (const text of ['a\tb', 'x'.repeat(1025), '$&é', '\u007f']) {
    assert.equal(describe(writeUtf8(text)), `${refusal}${text}`);
  }
  assert.equal(describe('\xe9'), `${refusal}\xe9`);
});

test('a setting accepts UTF-8 descriptions of 1,024 bytes, and nothing that is not UTF-8', () => {
  for (const text of ['é', '写真 🏔', '\ufeffx', 'é'.repeat(512)]) {
    assert.equal(describe(writeUtf8(text), true), text);
  }
  for (const bytes of ['\xe9', writeUtf8('é'.repeat(513)), 'a\tb', '\x7f']) {
    assert.match(String(describe(bytes, true)), /^InvalidParameterValueException: Invalid x-amz/);
  }
});

for (const value of ['', '0', '-1', '+1', '1.5', '1e1', ' 1', 'abc', '\u0661']) {
  test(`a limit of ${JSON.stringify(value)} is refused`, () => {
    assert.equal(
      read('ListVaults', { query: { limit: value } }),
      `${invalid}Invalid limit: ${value}`,
    );
  });
}

test('a limit beyond the maximum is no error', () => {
  assert.deepEqual(read('ListJobs', { query: { limit: '1000' } }), { limit: 1000 });
  assert.deepEqual(read('ListJobs', { query: { limit: `1${'0'.repeat(400)}` } }), {
    limit: Infinity,
  });
});

test('empty filters and markers are none, and unknown members are ignored', () => {
  const query = { marker: '', completed: '', statuscode: '', unknown: 'x' };
  assert.deepEqual(read('ListJobs', { query }), {});
});

test('filters that are none of their values are refused', () => {
  assert.equal(
    read('ListJobs', { query: { completed: 'TRUE' } }),
    `${invalid}The completed parameter is not valid: TRUE`,
  );
  assert.equal(
    read('ListJobs', { query: { completed: 'true', statuscode: 'Done' } }),
    `${invalid}The job status code is not valid: Done`,
  );
});

for (const document of ['', ' \r\n', 'null']) {
  test(`a job that is asked for with ${JSON.stringify(document)} has no parameters`, () => {
    assert.equal(read('InitiateJob', { document }), `${missing}Job Parameters`);
  });
}

test('a job without a type is refused, by the name that the live service gives it', () => {
  assert.equal(read('InitiateJob', { document: '{}' }), `${missing}type`);
  assert.equal(read('InitiateJob', { document: '{"Type": null}' }), `${missing}type`);
});

for (const [title, document, message] of [
  ['cut off', '{"Type": "x"', 'Invalid JSON in request body'],
  ['no UTF-8', Buffer.from('{"Type": "\xe9"}', 'latin1'), 'Invalid JSON in request body'],
  ['a list', '[]', 'The request body is not a JSON object'],
  ['a text', '"x"', 'The request body is not a JSON object'],
  [
    'with a number for a text',
    '{"Type": 1}',
    'Invalid type of Type in request body: expected a string',
  ],
  [
    'with a text for an object',
    '{"Type": "archive-retrieval", "InventoryRetrievalParameters": ""}',
    'Invalid type of InventoryRetrievalParameters in request body: expected an object',
  ],
] as const) {
  test(`a document that is ${title} is refused`, () => {
    assert.equal(read('InitiateJob', { document }), `SerializationException: ${message}`);
  });
}

test('a null in a document is the same as nothing, at every depth', () => {
  const parameters = '{"StartDate": null, "Limit": null}';
  const document =
    '{"Type": "inventory-retrieval", "ArchiveId": null, "SNSTopic": null, "Unknown": 1, ' +
    `"InventoryRetrievalParameters": ${parameters}}`;
  assert.deepEqual(read('InitiateJob', { document }), {
    type: 'inventory-retrieval',
    inventoryRetrievalParameters: {},
  });
});

test('the limit of an inventory is taken as a text and as a number', () => {
  const limitOf = (json: string) =>
    read('InitiateJob', {
      document: `{"Type": "inventory-retrieval", "InventoryRetrievalParameters": {"Limit": ${json}}}`,
    });
  const expected = {
    type: 'inventory-retrieval',
    inventoryRetrievalParameters: { limit: '10000' },
  };
  assert.deepEqual(limitOf('"10000"'), expected);
  assert.deepEqual(limitOf('10000'), expected);
  assert.deepEqual(limitOf('1.5'), {
    ...expected,
    inventoryRetrievalParameters: { limit: '1.5' },
  });
  assert.match(String(limitOf('true')), /^SerializationException/);
});

test('a job description is printable ASCII of at most 1,024 bytes', () => {
  const describeJob = (description: string) =>
    read('InitiateJob', {
      document: JSON.stringify({ Type: 'archive-retrieval', Description: description }),
      allowUtf8Descriptions: true,
    });
  const refusal = `${invalid}The job description is not valid`;
  assert.deepEqual(describeJob('x'.repeat(1024)), {
    type: 'archive-retrieval',
    description: 'x'.repeat(1024),
  });
  assert.equal(describeJob('x'.repeat(1025)), refusal);
  assert.equal(describeJob('é'), refusal);
  assert.equal(describeJob('a\nb'), refusal);
});

test('an empty member of the path is the id of nothing, not a missing one', () => {
  assert.deepEqual(read('DeleteArchive', { path: { archiveId: '' } }), { archiveId: '' });
});

const serialization = 'SerializationException: ';

for (const [title, document, expected] of [
  [
    'keeps keys of any name',
    '{"Tags":{"__proto__":"a","1":"b"}}',
    {
      tags: [
        ['1', 'b'],
        ['__proto__', 'a'],
      ],
    },
  ],
  ['may be empty', '{"Tags":{}}', { tags: [] }],
  ['has to be there', '{"Tags":null}', `${missing}Tags`],
  [
    'is no list',
    '{"Tags":["a"]}',
    `${serialization}Invalid type of Tags in request body: expected an object`,
  ],
  [
    'holds texts only',
    '{"Tags":{"a":1}}',
    `${serialization}Invalid type of Tags in request body: expected a string`,
  ],
  [
    'holds no nulls',
    '{"Tags":{"a":null}}',
    `${serialization}Invalid type of Tags in request body: expected a string`,
  ],
] as const) {
  test(`a map of the document ${title}`, () => {
    const given = read('AddTagsToVault', { document });
    const { tags } = given as { readonly tags?: ReadonlyMap<string, string> };
    assert.deepEqual(tags === undefined ? given : { tags: [...tags] }, expected);
  });
}

test('a list of the document that has to be there is missing when it is empty', () => {
  const document = '{"SNSTopic":"arn","Events":[]}';
  assert.equal(read('SetVaultNotifications', { document }), `${missing}Events`);
});

for (const [written, expected] of [
  ['1', 1n],
  ['9007199254740993', 9_007_199_254_740_993n],
  ['9223372036854775807', 9_223_372_036_854_775_807n],
  ['1e3', 1000n],
  ['null', undefined],
  ['9223372036854775808', `${invalid}Invalid BytesPerHour: 9223372036854775808`],
  ['0', `${invalid}Invalid BytesPerHour: 0`],
  ['-9223372036854775808', `${invalid}Invalid BytesPerHour: -9223372036854775808`],
  ['1.5', `${invalid}Invalid BytesPerHour: 1.5`],
  ['1e400', `${invalid}Invalid BytesPerHour: 1e400`],
  ['"1"', `${serialization}Invalid type of BytesPerHour in request body: expected an integer`],
  ['{}', `${serialization}Invalid type of BytesPerHour in request body: expected an integer`],
] as const) {
  test(`an integer of 64 bits is read exactly: ${written}`, () => {
    const rule = `{"Strategy":"BytesPerHour","BytesPerHour":${written}}`;
    const given = read('SetDataRetrievalPolicy', { document: `{"Policy":{"Rules":[${rule}]}}` });
    const { policy } = given as {
      readonly policy?: { readonly rules: readonly { readonly bytesPerHour?: bigint }[] };
    };
    assert.deepEqual(policy === undefined ? given : policy.rules[0]?.bytesPerHour, expected);
  });
}

test('a number past 2^53 is no other integer', () => {
  const document = '{"Type":"inventory-retrieval","Description":9007199254740993}';
  assert.equal(
    read('InitiateJob', { document }),
    `${serialization}Invalid type of Description in request body: expected a string`,
  );
});

for (const range of ['bytes 0-9/*', 'bytes 0-9/10', 'bytes  1048576-2097151/*']) {
  test(`a part may say where it lies as ${range}`, () => {
    const headers = { 'content-range': range, 'transfer-encoding': 'chunked', ...hashes };
    const input = read('UploadMultipartPart', { headers });
    assert.deepEqual(input, { range, contentSha256: 'c', checksum: 'abcd' });
  });
}

test('a part with neither length nor chunks has no bytes', () => {
  const misfit = `${invalid}Content-Range: bytes 0-9/* is incompatible with Content-Length: `;
  const ten = { 'content-range': 'bytes 0-9/*', ...hashes };
  assert.equal(read('UploadMultipartPart', { headers: ten }), `${misfit}0`);
  const nine = { ...ten, 'content-length': '9' };
  assert.equal(read('UploadMultipartPart', { headers: nine }), `${misfit}9`);
});

for (const range of [
  'bytes=0-9',
  'bytes 9-0/*',
  '0-9/*',
  'bytes 0-9',
  'bytes -9/*',
  'bytes 0-x/*',
]) {
  test(`a part may not say where it lies as ${range}`, () => {
    const input = read('UploadMultipartPart', { headers: { 'content-range': range, ...hashes } });
    assert.equal(input, `${invalid}Invalid Content-Range: ${range}`);
  });
}
