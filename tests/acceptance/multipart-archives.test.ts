import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  askForJob,
  bytesOf,
  completedJob,
  createVault,
  deleteArchive,
  describeJob,
  describeVault,
  getOutput,
  initiateJob,
  inventoryOf,
  outputOf,
  retrieve,
  upload as uploadWhole,
} from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import { listUploads, Multipart, partsOf, uploadInParts } from '../support/multipart.ts';
import { startServer } from '../support/start-server.ts';
import { filesSince, storedFiles } from '../support/stored-files.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';
import { mebibyte, nodeHashOf, treeHashOf, wholeTreeOf } from '../support/tree-hash-reference.ts';

const { api, account, dataDirectory } = await openTarget();
const vault = await createVault(api);
const M = mebibyte;
const whole = bytesOf(6.5 * M);
const tree = wholeTreeOf(whole);
const description = 'six   and a half';
const archiveId = await uploadInParts(api, vault, whole, { partSizeBytes: 2 * M, description });

async function retrievalOf(RetrievalByteRange: string | null, id = archiveId): Promise<string> {
  const parameters = { Type: 'archive-retrieval', ArchiveId: id, RetrievalByteRange };
  const jobId = await initiateJob(api, vault, parameters);
  assert.equal((await completedJob(api, vault, jobId)).StatusCode, 'Succeeded');
  return jobId;
}

describe('an archive that was uploaded in parts', () => {
  test('is retrieved whole, with its tree hash and its description', async () => {
    const jobId = await retrievalOf(null);
    const { body, status, headers } = await getOutput(api, vault, jobId);
    assert.equal(status, 200);
    assert.ok(body.equals(whole));
    assert.equal(headers.get('x-amz-sha256-tree-hash'), treeHashOf(whole));
    assert.equal(headers.get('x-amz-archive-description'), description);
    const job = await describeJob(api, vault, jobId);
    assert.equal(job.ArchiveSizeInBytes, whole.length);
    assert.equal(job.ArchiveSHA256TreeHash, treeHashOf(whole));
    assert.equal(job.SHA256TreeHash, treeHashOf(whole));
    assert.equal(job.RetrievalByteRange, `0-${whole.length - 1}`);
  });

  const downloads: readonly (readonly [first: number, last: number])[] = [
    [0, 0],
    [2 * M - 1, 2 * M],
    [2 * M - 10, 4 * M + 10],
    [1, 6.5 * M - 2],
    [0, 2 * M - 1],
    [M, 3 * M - 1],
    [2 * M, 4 * M - 1],
    [0, 4 * M - 1],
    [4 * M, 6.5 * M - 1],
    [5 * M, 6.5 * M - 1],
    [6 * M, 6.5 * M - 1],
    [6.5 * M - 1, 6.5 * M - 1],
  ];

  test('is downloaded in ranges that begin and end anywhere in its parts', async () => {
    const jobId = await retrievalOf(null);
    for (const [first, last] of downloads) {
      const answer = await getOutput(api, vault, jobId, `bytes=${first}-${last}`);
      assert.equal(answer.status, 206);
      assert.ok(answer.body.equals(whole.subarray(first, last + 1)), `${first}-${last}`);
      assert.equal(answer.headers.get('content-range'), `bytes ${first}-${last}/${whole.length}`);
      const treeHash = nodeHashOf(tree, first, last);
      assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHash, `${first}-${last}`);
    }
  });

  for (const [first, last] of downloads.filter(([at]) => at % M === 0)) {
    if ((last + 1) % M !== 0 && last !== whole.length - 1) continue;
    test(`is retrieved from byte ${first} to ${last} across its parts`, async () => {
      const jobId = await retrievalOf(`${first}-${last}`);
      const treeHash = nodeHashOf(tree, first, last);
      assert.equal((await describeJob(api, vault, jobId)).SHA256TreeHash, treeHash ?? null);
      const answer = await getOutput(api, vault, jobId);
      assert.ok(answer.body.equals(whole.subarray(first, last + 1)));
      assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHash);
    });
  }

  test('stands in the inventory like any other', async () => {
    const own = await createVault(api);
    const bytes = bytesOf(1.5 * M);
    const described = await uploadInParts(api, own, bytes, { description });
    const plain = await uploadInParts(api, own, bytes);
    const single = await uploadWhole(api, own, bytes, description);
    await Multipart.initiate(api, own, { description: 'never completed' });
    const { ArchiveList, VaultARN } = await inventoryOf(api, own);
    assert.equal(VaultARN, `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${own}`);
    const shown = ArchiveList.map(({ CreationDate, ...rest }) => {
      assert.match(CreationDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      return rest;
    });
    const row = (ArchiveId: string, ArchiveDescription: string) => {
      return {
        ArchiveId,
        ArchiveDescription,
        Size: bytes.length,
        SHA256TreeHash: treeHashOf(bytes),
      };
    };
    const expected = [row(described, description), row(plain, ''), row(single, description)];
    const byId = (a: { ArchiveId: string }, b: { ArchiveId: string }) =>
      a.ArchiveId < b.ArchiveId ? -1 : 1;
    assert.deepEqual(shown.sort(byId), expected.sort(byId));
  });

  test('counts in the totals of its vault from its completion on', async () => {
    const own = await createVault(api);
    const totals = async () => {
      const { NumberOfArchives, SizeInBytes } = await describeVault(api, own);
      return [NumberOfArchives, SizeInBytes];
    };
    const bytes = bytesOf(1.5 * M);
    const upload = await Multipart.initiate(api, own);
    await upload.putAll(bytes);
    assert.deepEqual(await totals(), [0, 0]);
    const id = await upload.complete(bytes);
    assert.deepEqual(await totals(), [1, bytes.length]);
    const refused = await api.call('DELETE', `/-/vaults/${own}`);
    assertError(refused, 400, 'InvalidParameterValueException', /^Vault not empty /);
    await deleteArchive(api, own, id);
    assert.deepEqual(await totals(), [0, 0]);
    assertEmpty(await api.call('DELETE', `/-/vaults/${own}`), 204);
  });

  test('is deleted like any other, and can not be retrieved any more', async () => {
    const id = await uploadInParts(api, vault, bytesOf(1.5 * M));
    const parameters = { Type: 'archive-retrieval', ArchiveId: id };
    await deleteArchive(api, vault, id);
    await deleteArchive(api, vault, id);
    const answer = await askForJob(api, vault, parameters);
    const message = `The archive ID was not found: ${id}`;
    assertError(answer, 404, 'ResourceNotFoundException', message);
  });

  test('is served by a job that had succeeded when it was deleted', async () => {
    const bytes = bytesOf(2.75 * M);
    const id = await uploadInParts(api, vault, bytes);
    const jobId = await retrievalOf(null, id);
    await deleteArchive(api, vault, id);
    assert.ok((await getOutput(api, vault, jobId)).body.equals(bytes));
    const range = await getOutput(api, vault, jobId, `bytes=${M - 5}-${2 * M + 4}`);
    assert.ok(range.body.equals(bytes.subarray(M - 5, 2 * M + 5)));
  });
});

describe('the space of what was uploaded in parts', { skip: onlyOwnServer }, () => {
  const files = () => storedFiles(dataDirectory ?? '');
  const since = (before: ReadonlyMap<string, number>) => filesSince(dataDirectory ?? '', before);

  test('is given back when the archive is deleted', async () => {
    const before = files();
    const id = await uploadInParts(api, vault, bytesOf(3.75 * M));
    assert.ok(since(before).length > 0);
    await deleteArchive(api, vault, id);
    await eventually('the files are gone', () => since(before).length === 0);
  });

  test('is not taken again by completion: no bytes are moved', async () => {
    const bytes = bytesOf(2.75 * M);
    const upload = await Multipart.initiate(api, vault);
    await upload.putAll(bytes);
    const before = files();
    await upload.complete(bytes);
    assert.deepEqual(since(before), []);
    assert.ok([...before.values()].reduce((sum, size) => sum + size, 0) > bytes.length);
  });

  test('is given back in the end, whatever ended an upload while parts arrived', async () => {
    const before = files();
    const bytes = bytesOf(1.75 * M);
    for (let round = 0; round < 6; round += 1) {
      const own = await createVault(api);
      const upload = await Multipart.initiate(api, own);
      await upload.putAll(bytes);
      const ends = [
        () => upload.abort(),
        () => upload.finish(bytes),
        () => api.call('DELETE', `/-/vaults/${own}`),
      ];
      await Promise.all([
        ...[1, 2, 3].map(() => upload.send(0, bytesOf(700_000))),
        ends[round % ends.length]?.(),
        ...partsOf(bytes).map((part) => upload.send(...part)),
      ]);
      const again = await upload.finish(bytes);
      const id = again.headers.get('x-amz-archive-id');
      if (id !== undefined) await deleteArchive(api, own, id);
      await upload.abort();
    }
    await eventually('the files are gone', () => since(before).length === 0);
  });

  test('is not given back while the archive is there, whatever was sent in vain', async () => {
    const bytes = bytesOf(1.75 * M);
    const upload = await Multipart.initiate(api, vault);
    for (let time = 0; time < 2; time += 1) await upload.putAll(bytesOf(1.75 * M));
    await upload.putAll(bytes);
    const id = await upload.complete(bytes);
    await Promise.all(partsOf(bytes).map((part) => upload.send(...part)));
    await upload.abort();
    assert.ok((await retrieve(api, vault, id)).equals(bytes));
  });
});

describe('the description given to an upload', () => {
  /** How a description arrives in each place where it is shown. */
  async function shownAfter(given: string | undefined, caller = api) {
    const own = await createVault(caller);
    const options = given === undefined ? {} : { description: given };
    const upload = await Multipart.initiate(caller, own, options);
    const parts = (await upload.page()).ArchiveDescription;
    const uploads = (await listUploads(caller, own)).UploadsList[0]?.ArchiveDescription;
    const bytes = bytesOf(3);
    await upload.put(0, bytes);
    const id = await upload.complete(bytes);
    const inventory = (await inventoryOf(caller, own)).ArchiveList[0]?.ArchiveDescription;
    const job = { Type: 'archive-retrieval', ArchiveId: id };
    const { headers } = await outputOf(caller, own, job);
    return { parts, uploads, inventory, output: headers.get('x-amz-archive-description') };
  }

  const everywhere = (text: string) => {
    return { parts: text, uploads: text, inventory: text, output: text };
  };

  const printable = Array.from({ length: 93 }, (_, at) => String.fromCharCode(33 + at)).join('');

  for (const [shown, text] of [
    ['runs of blanks', 'a   b  c'],
    ['every printable character', `${printable}~`],
    ['1,024 characters', 'x'.repeat(1024)],
    ['percent-encoded text', 'my%20file%20%C3%A9.txt'],
  ] as const) {
    test(`is kept character by character: ${shown}`, async () => {
      assert.deepEqual(await shownAfter(text), everywhere(text));
    });
  }

  test('loses the blanks around it', async () => {
    assert.deepEqual(await shownAfter('   in the middle  '), everywhere('in the middle'));
  });

  test('is null in lists and an empty text in inventories when there is none', async () => {
    const nothing = { parts: null, uploads: null, inventory: '', output: undefined };
    assert.deepEqual(await shownAfter(undefined), nothing);
  });

  test('is an empty text everywhere when it is one', async () => {
    const empty = { parts: '', uploads: '', inventory: '', output: undefined };
    assert.deepEqual(await shownAfter(''), empty);
  });

  test('may go beyond ASCII with FIRN_UTF8_DESCRIPTIONS=yes', { skip: onlyOwnServer }, async () => {
    await using server = await startServer({ env: { FIRN_UTF8_DESCRIPTIONS: 'yes' } });
    using there = api.as({ url: server.url });
    const text = 'Gletscher – névé – 氷河 "❄"';
    const latin1 = Buffer.from(text, 'utf8').toString('latin1');
    assert.deepEqual(await shownAfter(latin1, there), { ...everywhere(text), output: latin1 });
  });
});
