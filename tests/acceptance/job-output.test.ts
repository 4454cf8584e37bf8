import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bytesOf,
  completedJob,
  createVault,
  freshName,
  getOutput,
  initiateJob,
  upload,
} from '../support/deeds.ts';
import { assertCommonHeaders, assertError } from '../support/expectations.ts';
import type { Answer } from '../support/http.ts';
import { openTarget } from '../support/target.ts';
import { isNodeOfTree, mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const { api, account } = await openTarget();
const vault = await createVault(api);
const bytes = bytesOf(6.5 * mebibyte);
const size = bytes.length;
const archiveId = await upload(api, vault, bytes, 'six and a half');

async function retrievalOf(id: string, RetrievalByteRange: string | null = null): Promise<string> {
  const parameters = { Type: 'archive-retrieval', ArchiveId: id, RetrievalByteRange };
  const jobId = await initiateJob(api, vault, parameters);
  assert.equal((await completedJob(api, vault, jobId)).StatusCode, 'Succeeded');
  return jobId;
}

const jobId = await retrievalOf(archiveId);

/** Checks an answer that brings `expected`, from `first` on, of an output of `outputSize` bytes. */
function assertBytes(answer: Answer, expected: Buffer, range?: { first: number; of: number }) {
  const { status, headers, body } = answer;
  assert.equal(status, range === undefined ? 200 : 206, answer.text.slice(0, 200));
  assertCommonHeaders(answer);
  assert.ok(body.equals(expected), `${body.length} bytes instead of ${expected.length}`);
  assert.equal(headers.get('content-type'), 'application/octet-stream');
  assert.equal(headers.get('content-length'), String(expected.length));
  assert.equal(headers.get('transfer-encoding'), undefined);
  assert.equal(headers.get('accept-ranges'), 'bytes');
  const last = (range?.first ?? 0) + expected.length - 1;
  const contentRange = range && `bytes ${range.first}-${last}/${range.of}`;
  assert.equal(headers.get('content-range'), contentRange);
}

test('the whole output comes with its tree hash and the description', async () => {
  const answer = await getOutput(api, vault, jobId);
  assertBytes(answer, bytes);
  assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHashOf(bytes));
  assert.equal(answer.headers.get('x-amz-archive-description'), 'six and a half');
});

test('an archive without a description has no header for one', async () => {
  const id = await retrievalOf(await upload(api, vault, bytesOf(1)));
  const { headers } = await getOutput(api, vault, id);
  assert.equal(headers.has('x-amz-archive-description'), false);
});

const M = mebibyte;
const ranges: readonly (readonly [range: string, first: number, last: number])[] = [
  ['bytes=0-0', 0, 0],
  ['bytes=0-1023', 0, 1023],
  ['bytes=5-4711', 5, 4711],
  [`bytes=0-${size - 1}`, 0, size - 1],
  [`bytes=0-${size}`, 0, size - 1],
  [`bytes=${6 * M}-${7 * M - 1}`, 6 * M, size - 1],
  [`bytes=${4 * M}-${8 * M - 1}`, 4 * M, size - 1],
  [`bytes=${2 * M}-${4 * M - 1}`, 2 * M, 4 * M - 1],
  [`bytes=${M}-${3 * M - 1}`, M, 3 * M - 1],
  [`bytes=${size - 1}-`, size - 1, size - 1],
  [`bytes=${3 * M}-`, 3 * M, size - 1],
  ['bytes=0-', 0, size - 1],
  ['bytes=-10', size - 10, size - 1],
  [`bytes=-${2 * size}`, 0, size - 1],
  ['bytes=1-99999999999999999999', 1, size - 1],
];

for (const [range, first, last] of ranges) {
  const treeHash = isNodeOfTree(first, last, size)
    ? treeHashOf(bytes.subarray(first, last + 1))
    : undefined;
  const adverb = treeHash === undefined ? 'without' : 'with';
  test(`"${range}" answers 206 with bytes ${first} to ${last}, ${adverb} a tree hash`, async () => {
    const answer = await getOutput(api, vault, jobId, range);
    assertBytes(answer, bytes.subarray(first, last + 1), { first, of: size });
    assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHash);
  });
}

const ignored = [
  '',
  'bytes 0-99/200',
  'Range: bytes=0-99',
  '0-99/493',
  'bytes=a-b',
  'bytes=-',
  'bytes=10-5',
  'bytes=0-9,20-29',
  'items=0-9',
];

for (const range of ignored) {
  test(`"${range}", which is not understood, answers 200 with the whole output`, async () => {
    const answer = await getOutput(api, vault, jobId, range);
    assertBytes(answer, bytes);
    assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHashOf(bytes));
  });
}

for (const range of [`bytes=${size}-`, `bytes=${size}-${size + 9}`, `bytes=${8 * M}-${12 * M}`]) {
  test(`"${range}", which starts past the end, answers 400 and never 416`, async () => {
    const message = `The start of the range is larger than size of retrieved data: ${range}`;
    const answer = await getOutput(api, vault, jobId, range);
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });
}

test('ranges count in the output of a ranged retrieval, not in the archive', async () => {
  const id = await retrievalOf(archiveId, `${4 * M}-${size - 1}`);
  const output = bytes.subarray(4 * M);
  const whole = await getOutput(api, vault, id);
  assertBytes(whole, output);
  assert.equal(whole.headers.get('x-amz-sha256-tree-hash'), treeHashOf(output));
  const part = await getOutput(api, vault, id, `bytes=${2 * M}-${3 * M}`);
  assertBytes(part, output.subarray(2 * M), { first: 2 * M, of: output.length });
  assert.equal(part.headers.get('x-amz-sha256-tree-hash'), treeHashOf(output.subarray(2 * M)));
  const message = /^The start of the range is larger than size of retrieved data: /;
  const past = await getOutput(api, vault, id, `bytes=${3 * M}-`);
  assertError(past, 400, 'InvalidParameterValueException', message);
});

test('a retrieval that was not tree-hash aligned never yields a tree hash', async () => {
  const id = await retrievalOf(archiveId, `${M}-${3 * M - 1}`);
  for (const range of [undefined, `bytes=0-${M - 1}`, `bytes=${M}-${2 * M - 1}`]) {
    const { status, headers } = await getOutput(api, vault, id, range);
    assert.equal(status, range === undefined ? 200 : 206);
    assert.equal(headers.get('x-amz-sha256-tree-hash'), undefined);
  }
});

test('any range of any retrieval has the bytes and the tree hash that it should', async () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 5 * M }),
    fc.integer({ min: 1, max: 5 }).map((leaves) => leaves * M),
  );
  /** Positions that are likely to be at the border of a leaf. */
  const position = fc.oneof(
    fc.integer({ min: 0, max: 5 * M }),
    fc.integer({ min: 0, max: 5 }).map((leaf) => leaf * M),
    fc.integer({ min: 1, max: 5 }).map((leaf) => leaf * M - 1),
  );
  const leaf = fc.integer({ min: 0, max: 4 });
  const downloads = fc.array(fc.tuple(position, position), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(sizes, leaf, leaf, downloads, async (sizeBytes, a, b, asked) => {
      const data = bytesOf(sizeBytes);
      const leafCount = Math.ceil(sizeBytes / M);
      const [from, to] = [a % leafCount, b % leafCount].sort((x, y) => x - y) as [number, number];
      const start = from * M;
      const end = Math.min((to + 1) * M, sizeBytes) - 1;
      const id = await retrievalOf(await upload(api, vault, data), `${start}-${end}`);
      const output = data.subarray(start, end + 1);
      const hasHash = isNodeOfTree(start, end, sizeBytes);
      for (const [x, y] of asked) {
        const [first, wanted] = x <= y ? [x, y] : [y, x];
        if (first >= output.length) continue;
        const last = Math.min(wanted, output.length - 1);
        const answer = await getOutput(api, vault, id, `bytes=${first}-${wanted}`);
        const expected = output.subarray(first, last + 1);
        assertBytes(answer, expected, { first, of: output.length });
        const isNode = hasHash && isNodeOfTree(start + first, start + last, sizeBytes);
        const treeHash = isNode ? treeHashOf(expected) : undefined;
        assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHash);
      }
    }),
    { numRuns: 12 },
  );
});

test('downloads of one output at the same time do not disturb each other', async () => {
  const answers = await Promise.all([1, 2, 3, 4].map(() => getOutput(api, vault, jobId)));
  for (const answer of answers) assertBytes(answer, bytes);
});

test('the output of an unknown job answers 404', async () => {
  for (const id of ['A'.repeat(92), 'no-such-job']) {
    const answer = await getOutput(api, vault, id);
    assertError(answer, 404, 'ResourceNotFoundException', `The job ID was not found: ${id}`);
  }
});

test('the output of a job of another vault answers 404', async () => {
  const another = await createVault(api);
  const answer = await getOutput(api, another, jobId);
  assertError(answer, 404, 'ResourceNotFoundException', `The job ID was not found: ${jobId}`);
});

test('the output of a job of an unknown vault answers 404 with the ARN', async () => {
  const name = freshName();
  const arn = `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${name}`;
  const answer = await getOutput(api, name, jobId);
  assertError(answer, 404, 'ResourceNotFoundException', `Vault not found for ARN: ${arn}`);
});
