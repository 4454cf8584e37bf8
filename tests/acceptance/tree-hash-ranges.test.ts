import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  bytesOf,
  completedJob,
  createVault,
  getOutput,
  initiateJob,
  upload as uploadWhole,
} from '../support/deeds.ts';
import { Multipart, uploadInParts } from '../support/multipart.ts';
import { openTarget } from '../support/target.ts';
import {
  mebibyte,
  nodeHashOf,
  type TreeNode,
  treeHashOf,
  wholeTreeOf,
} from '../support/tree-hash-reference.ts';

const { api } = await openTarget();
const vault = await createVault(api);
const M = mebibyte;

interface Stored {
  readonly archiveId: string;
  readonly whole: Buffer;
  readonly tree: readonly TreeNode[];
}

/** Stores an archive, in one piece or in parts, and builds the whole tree over it. */
async function store(whole: Buffer, partSizeBytes?: number): Promise<Stored> {
  const archiveId =
    partSizeBytes === undefined
      ? await uploadWhole(api, vault, whole)
      : await uploadInParts(api, vault, whole, { partSizeBytes });
  return { archiveId, whole, tree: wholeTreeOf(whole) };
}

interface Retrieval extends Stored {
  readonly jobId: string;
  readonly start: number;
  readonly end: number;
}

/** Retrieves the leaves from `from` to before `to`, and checks what the job says about their hash. */
async function retrieveLeaves(stored: Stored, from: number, to: number): Promise<Retrieval> {
  const { archiveId, whole, tree } = stored;
  const start = from * M;
  const end = Math.min(to * M, whole.length) - 1;
  const RetrievalByteRange = `${start}-${end}`;
  const parameters = { Type: 'archive-retrieval', ArchiveId: archiveId, RetrievalByteRange };
  const jobId = await initiateJob(api, vault, parameters);
  const job = await completedJob(api, vault, jobId);
  assert.equal(job.RetrievalByteRange, RetrievalByteRange);
  assert.equal(job.ArchiveSHA256TreeHash, nodeHashOf(tree, 0, whole.length - 1));
  assert.equal(job.SHA256TreeHash, nodeHashOf(tree, start, end) ?? null, RetrievalByteRange);
  return { ...stored, jobId, start, end };
}

/**
 * Downloads bytes of a retrieval's output, counted from its start. They come with a tree hash just
 * when both the retrieval and the download are the leaves below a node of the archive's tree, and
 * then with the hash of that node.
 */
async function assertDownload(retrieval: Retrieval, first: number, last: number): Promise<void> {
  const { jobId, start, end, whole, tree } = retrieval;
  const answer = await getOutput(api, vault, jobId, `bytes=${first}-${last}`);
  const [from, to] = [start + first, Math.min(start + last, end)];
  assert.equal(answer.status, 206);
  assert.ok(answer.body.equals(whole.subarray(from, to + 1)), `${from}-${to}`);
  const mayHave = nodeHashOf(tree, start, end) !== undefined;
  const expected = mayHave ? nodeHashOf(tree, from, to) : undefined;
  const shown = `${from}-${to} of ${start}-${end} of ${whole.length}`;
  assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), expected, shown);
}

/** All pairs of leaves or borders `from < to` of so many leaves. */
function spansOf(leafCount: number): (readonly [from: number, to: number])[] {
  return Array.from({ length: leafCount }, (_, from) =>
    Array.from({ length: leafCount - from }, (__, more) => [from, from + more + 1] as const),
  ).flat();
}

describe('the tree hash of a range', () => {
  test('is there for just the nodes of the tree: all ranges of all of 4.5 MiB', async () => {
    const stored = await store(bytesOf(4.5 * M), M);
    for (const [from, to] of spansOf(5)) {
      const retrieval = await retrieveLeaves(stored, from, to);
      for (const [first, beyond] of spansOf(to - from)) {
        await assertDownload(retrieval, first * M, beyond * M - 1);
      }
    }
  });

  test('is there for just the nodes of the tree: all ranges of 6.5 MiB', async () => {
    const stored = await store(bytesOf(6.5 * M), 2 * M);
    for (const [from, to] of spansOf(7)) await retrieveLeaves(stored, from, to);
    const retrieval = await retrieveLeaves(stored, 0, 7);
    for (const [from, to] of spansOf(7)) await assertDownload(retrieval, from * M, to * M - 1);
  });

  test('is that of the documented example, of 6.5 MiB in parts', async () => {
    const leaves = Array.from({ length: 7 }, (_, index) => Buffer.alloc(M, index));
    const stored = await store(Buffer.concat(leaves).subarray(0, 6.5 * M), M);
    const retrieval = await retrieveLeaves(stored, 0, 7);
    for (const [from, to, treeHash] of [
      [0, 1, '30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58'],
      [6, 7, '1fc15a7fa5716499f176527299306aedc7f7ee9c523932efb6da89e71886726d'],
      [2, 4, 'd1d5b496d3337e6a861029592334a156fb35d4236b34377b7fa0d504c9f775b3'],
      [0, 4, '67b4bca77c9935ead8b071feb32ccccc142dfb5a2674650a1320f6fbcef943c6'],
      [4, 7, 'ab6d8ef5453c3b378223882314a706ceef45392913a31a8ee404894e8df97d91'],
      [0, 7, '1bec740b9e7b5da352a727ef3b50e9b24717450758ec506d3a8d45b59ca4f759'],
      [1, 3, undefined],
      [0, 6, undefined],
    ] as const) {
      const range = `bytes=${from * M}-${to * M - 1}`;
      const { headers } = await getOutput(api, vault, retrieval.jobId, range);
      assert.equal(headers.get('x-amz-sha256-tree-hash'), treeHash, range);
    }
  });

  const leafCounts = fc.integer({ min: 1, max: 9 });
  /** Sizes of so many leaves, often with a last one that is full, or has a single byte. */
  const sizes = leafCounts.chain((leafCount) =>
    fc
      .oneof(fc.constant(M), fc.constant(1), fc.integer({ min: 1, max: M }))
      .map((lastBytes) => (leafCount - 1) * M + lastBytes),
  );
  const borders = fc.nat({ max: 9 });
  /** Positions at the border of a leaf or one beside it, mostly; the others anywhere. */
  const positions = fc.oneof(
    { weight: 4, arbitrary: borders.map((leaf) => leaf * M) },
    { weight: 4, arbitrary: borders.map((leaf) => (leaf + 1) * M - 1) },
    { weight: 1, arbitrary: borders.map((leaf) => leaf * M + 1) },
    { weight: 1, arbitrary: fc.nat({ max: 9 * M }) },
  );

  for (const [kind, numRuns] of [
    ['in one piece', 4],
    ['in parts', 10],
  ] as const) {
    test(`is right for any range of any retrieval of archives uploaded ${kind}`, async () => {
      const cases = fc.record({
        sizeBytes: sizes,
        partSizeBytes: fc.constantFrom(M, 2 * M, 4 * M, 8 * M, 16 * M),
        retrievals: fc.array(fc.tuple(borders, borders), { minLength: 1, maxLength: 4 }),
        downloads: fc.array(fc.tuple(positions, positions), { minLength: 3, maxLength: 10 }),
      });
      await fc.assert(
        fc.asyncProperty(cases, async ({ sizeBytes, partSizeBytes, retrievals, downloads }) => {
          const inParts = kind === 'in parts' ? partSizeBytes : undefined;
          const stored = await store(bytesOf(sizeBytes), inParts);
          const leafCount = Math.ceil(sizeBytes / M);
          for (const [a, b] of retrievals) {
            const [from, last] = [a % leafCount, b % leafCount].sort((x, y) => x - y);
            const retrieval = await retrieveLeaves(stored, from ?? 0, (last ?? 0) + 1);
            const outputSizeBytes = retrieval.end - retrieval.start + 1;
            for (const [x, y] of downloads) {
              const [first, wanted] = x <= y ? [x, y] : [y, x];
              if (first < outputSizeBytes) await assertDownload(retrieval, first, wanted);
            }
          }
        }),
        { numRuns },
      );
    });
  }
});

describe('the tree hash of parts', () => {
  test('is, put together, the tree hash of the whole, for any size and part size', async () => {
    const cases = fc.record({
      sizeBytes: fc.oneof(
        fc.integer({ min: 1, max: 9 * M }),
        fc.integer({ min: 1, max: 9 }).map((leaves) => leaves * M),
        fc.integer({ min: 0, max: 8 }).map((leaves) => leaves * M + 1),
      ),
      partSizeBytes: fc.constantFrom(M, 2 * M, 4 * M, 8 * M),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ sizeBytes, partSizeBytes }) => {
        const whole = bytesOf(sizeBytes);
        const upload = await Multipart.initiate(api, vault, { partSizeBytes });
        await upload.putAll(whole, partSizeBytes);
        const answer = await upload.finish(whole);
        assert.equal(answer.status, 201, answer.text);
        assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHashOf(whole));
      }),
      { numRuns: 12 },
    );
  });

  // Worked examples: the letter `a`, so many times.
  for (const [sizeBytes, treeHash] of [
    [3 * M, '70239f4f2ead7561f69d48b956b547edef52a1280a93c262c0b582190be7db17'],
    [4 * M + 20, '12f3cbd6101b981cde074039f6f728071da8879d6f632de8afc7cdf00661b08f'],
    [5.5 * M, '6fe91a2459edf2f97c31f3533905d61bcb91b434c244c5146fb2d92330db76ea'],
    [6.5 * M, '0dae0a3f606e3eae41361ffc1dc3e1c5311ae06f9c14299ca46052f89947f412'],
    [7 * M, '97c5b900ef1ea71da2b168cbc9a5ca42130bae27ca3ef3277983bc069acaba16'],
  ] as const) {
    test(`gives the documented tree hash of ${sizeBytes} bytes, whatever the parts`, async () => {
      const whole = Buffer.alloc(sizeBytes, 'a');
      for (const partSizeBytes of [M, 2 * M, 4 * M, 8 * M]) {
        const upload = await Multipart.initiate(api, vault, { partSizeBytes });
        await upload.putAll(whole, partSizeBytes);
        const answer = await upload.finish(whole, { 'x-amz-sha256-tree-hash': treeHash });
        assert.equal(answer.status, 201, answer.text);
        assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHash);
      }
    });
  }
});
