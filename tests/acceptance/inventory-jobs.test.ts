import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  askForJob,
  bytesOf,
  completedJob,
  createVault,
  deleteArchive,
  freshName,
  getOutput,
  type Inventory,
  initiateJob,
  inventoryOf,
  outputOf,
  upload,
} from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { assertDocument, assertEmpty, assertError } from '../support/expectations.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';
import { treeHashOf } from '../support/tree-hash-reference.ts';

const { api, account } = await openTarget();
const vault = await createVault(api);

const arnOf = (name: string) => `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${name}`;

const ask = (parameters: object) =>
  askForJob(api, vault, { Type: 'inventory-retrieval', ...parameters });

const descriptions = [
  'my archive description,1',
  'my archive description,1"2',
  'my archive description,1\\"2',
  '{"Path":"a"}',
  '\\',
  '',
  'a\\b',
  'with  two blanks, and a comma',
];

interface Stored {
  readonly archiveId: string;
  readonly description: string;
  readonly bytes: Buffer;
}

/** A vault with an archive for each of `texts`. */
async function vaultWith(texts: readonly string[]): Promise<[name: string, Stored[]]> {
  const name = await createVault(api);
  const stored: Stored[] = [];
  for (const [index, description] of texts.entries()) {
    const bytes = bytesOf(1 + index * 1000);
    stored.push({ archiveId: await upload(api, name, bytes, description), description, bytes });
    // Archives of one millisecond have no order among them that could be expected.
    const storedAtMs = Date.now();
    await eventually('a millisecond is over', () => Date.now() > storedAtMs);
  }
  return [name, stored];
}

test('starting an inventory job answers 202 with id and location', async () => {
  const answer = await ask({});
  assertEmpty(answer, 202);
  const jobId = answer.headers.get('x-amz-job-id') ?? '';
  assert.match(jobId, /^[A-Za-z0-9][A-Za-z0-9_-]{91}$/);
  const location = `/${account.accountId}/vaults/${vault}/jobs/${jobId}`;
  assert.equal(answer.headers.get('location'), location);
});

test('a completed inventory job has all its members, in order', async () => {
  const jobId = await initiateJob(api, vault, { Type: 'inventory-retrieval', Description: 'all' });
  await completedJob(api, vault, jobId);
  const output = await getOutput(api, vault, jobId);
  const answer = await api.call('GET', `/-/vaults/${vault}/jobs/${jobId}`);
  const { CreationDate, CompletionDate } = JSON.parse(answer.text);
  assertDocument(answer, {
    Action: 'InventoryRetrieval',
    ArchiveId: null,
    ArchiveSHA256TreeHash: null,
    ArchiveSizeInBytes: null,
    Completed: true,
    CompletionDate,
    CreationDate,
    InventoryRetrievalParameters: {
      EndDate: null,
      Format: 'JSON',
      Limit: null,
      Marker: null,
      StartDate: null,
    },
    InventorySizeInBytes: output.body.length,
    JobDescription: 'all',
    JobId: jobId,
    RetrievalByteRange: null,
    SHA256TreeHash: null,
    SNSTopic: null,
    StatusCode: 'Succeeded',
    StatusMessage: 'Succeeded',
    Tier: null,
    VaultARN: arnOf(vault),
  });
});

for (const Tier of ['Bulk', 'bulk', 'Fast', '']) {
  test(`the tier "${Tier}" is accepted and ignored`, async () => {
    const jobId = await initiateJob(api, vault, { Type: 'inventory-retrieval', Tier });
    assert.equal((await completedJob(api, vault, jobId)).Tier, null);
  });
}

test('the JSON inventory is compact, byte for byte, in the order of the uploads', async () => {
  const [name, stored] = await vaultWith(descriptions);
  const answer = await outputOf(api, name, { Type: 'inventory-retrieval', Format: 'JSON' });
  const found: Inventory = JSON.parse(answer.text);
  const seconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
  assert.match(found.InventoryDate, seconds);
  const expected = {
    VaultARN: arnOf(name),
    InventoryDate: found.InventoryDate,
    ArchiveList: stored.map(({ archiveId, description, bytes }) => {
      const entry = found.ArchiveList.find(({ ArchiveId }) => ArchiveId === archiveId);
      assert.match(entry?.CreationDate ?? '', seconds);
      return {
        ArchiveId: archiveId,
        ArchiveDescription: description,
        CreationDate: entry?.CreationDate,
        Size: bytes.length,
        SHA256TreeHash: treeHashOf(bytes),
      };
    }),
  };
  assert.equal(answer.text, JSON.stringify(expected));
  assert.equal(answer.headers.get('content-type'), 'application/json');
});

test('the CSV inventory quotes descriptions, with \\" for a quote, byte for byte', async () => {
  const [name, stored] = await vaultWith(descriptions);
  const dates = new Map(
    (await inventoryOf(api, name)).ArchiveList.map((each) => [each.ArchiveId, each.CreationDate]),
  );
  const fields = [
    '"my archive description,1"',
    '"my archive description,1\\"2"',
    '"my archive description,1\\\\"2"',
    '"{\\"Path\\":\\"a\\"}"',
    '"\\"',
    '""',
    '"a\\b"',
    '"with  two blanks, and a comma"',
  ];
  const lines = stored.map(
    ({ archiveId, bytes }, index) =>
      `${archiveId},${fields[index]},${dates.get(archiveId)},${bytes.length},${treeHashOf(bytes)}`,
  );
  const head = 'ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash';
  const answer = await outputOf(api, name, { Type: 'inventory-retrieval', Format: 'CSV' });
  assert.equal(answer.text, [head, ...lines].map((line) => `${line}\r\n`).join(''));
  assert.equal(answer.headers.get('content-type'), 'text/csv');
});

test('the inventory of an empty vault lists nothing', { skip: onlyOwnServer }, async () => {
  const name = await createVault(api);
  const inventory = await inventoryOf(api, name);
  const { InventoryDate } = inventory;
  assert.deepEqual(inventory, { VaultARN: arnOf(name), InventoryDate, ArchiveList: [] });
  const csv = await outputOf(api, name, { Type: 'inventory-retrieval', Format: 'CSV' });
  assert.equal(csv.text, 'ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\r\n');
});

test('the output of an inventory has no tree hash and no description', async () => {
  const { headers } = await outputOf(api, vault, { Type: 'inventory-retrieval' });
  assert.equal(headers.get('x-amz-sha256-tree-hash'), undefined);
  assert.equal(headers.get('x-amz-archive-description'), undefined);
  assert.equal(headers.get('accept-ranges'), 'bytes');
});

test('each download of an inventory has the same bytes, whatever changed meanwhile', async () => {
  const [name, stored] = await vaultWith(['a', 'b', 'c']);
  const jobId = await initiateJob(api, name, { Type: 'inventory-retrieval' });
  const { InventorySizeInBytes } = await completedJob(api, name, jobId);
  const first = await getOutput(api, name, jobId);
  assert.equal(first.body.length, InventorySizeInBytes);
  await deleteArchive(api, name, stored[0]?.archiveId ?? '');
  await upload(api, name, bytesOf(9), 'd');
  assert.equal((await getOutput(api, name, jobId)).text, first.text);
});

test('an inventory job for an unknown vault answers 404', async () => {
  const name = freshName();
  const answer = await askForJob(api, name, { Type: 'inventory-retrieval' });
  const message = `Vault not found for ARN: ${arnOf(name)}`;
  assertError(answer, 404, 'ResourceNotFoundException', message);
});

test('an inventory job with an archive answers 400', async () => {
  const message = 'The archive ID must not be specified for an inventory retrieval job';
  const answer = await ask({ ArchiveId: 'A'.repeat(138) });
  assertError(answer, 400, 'InvalidParameterValueException', message);
});

test('an inventory job with a byte range answers 400', async () => {
  const answer = await ask({ RetrievalByteRange: '0-1048575' });
  assertError(answer, 400, 'InvalidParameterValueException', /range/);
});

test('an inventory job with nulls for what does not apply is accepted', async () => {
  const answer = await ask({
    ArchiveId: null,
    RetrievalByteRange: null,
    SNSTopic: null,
    InventoryRetrievalParameters: { StartDate: null, EndDate: null, Limit: null, Marker: null },
  });
  assertEmpty(answer, 202);
});

for (const Format of ['csv', 'XML', 'Json']) {
  test(`the format "${Format}" answers 400`, async () => {
    const message = `Invalid inventory format: ${Format}`;
    assertError(await ask({ Format }), 400, 'InvalidParameterValueException', message);
  });
}

test('an inventory in ranges adds up to the whole', async () => {
  const [name] = await vaultWith(['a', 'b', 'c', 'd', 'e', 'f']);
  const jobId = await initiateJob(api, name, { Type: 'inventory-retrieval', Format: 'CSV' });
  await completedJob(api, name, jobId);
  const whole = await getOutput(api, name, jobId);
  const parts: Buffer[] = [];
  for (let at = 0; at < whole.body.length; at += 500) {
    const part = await getOutput(api, name, jobId, `bytes=${at}-${at + 499}`);
    assert.equal(part.status, 206);
    const end = Math.min(at + 500, whole.body.length) - 1;
    assert.equal(part.headers.get('content-range'), `bytes ${at}-${end}/${whole.body.length}`);
    assert.equal(part.headers.get('content-type'), 'text/csv');
    assert.equal(part.headers.get('x-amz-sha256-tree-hash'), undefined);
    parts.push(part.body);
  }
  assert.ok(Buffer.concat(parts).equals(whole.body));
});
