import assert from 'node:assert/strict';
import test from 'node:test';
import {
  goingOn,
  hourMs,
  inventory,
  openDomain,
  outputOf,
  photos,
  retrieve,
  runUntilIdle,
  storeText,
  upload,
  videos,
} from '../../tests/support/domain.ts';
import { isNodeOfTree, mebibyte, treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../protocol/errors.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import { RefreshInventories } from '../workers/refresh-inventories.ts';
import { TakeInventories } from '../workers/take-inventories.ts';

const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);
const notFound = (message: string) => new GlacierError('ResourceNotFoundException', message);
const vaultNotFound = notFound(
  'Vault not found for ARN: arn:aws:glacier:us-east-1:012345678901:vaults/photos',
);

const delaysMs = { Expedited: 1000, Standard: 4 * hourMs, Bulk: 8 * hourMs, inventory: 3 * hourMs };

test('a job id is one that the clients that check it take', async () => {
  await using domain = await openDomain();
  assert.match(await inventory(domain), /^[A-Za-z0-9][A-Za-z0-9_-]{91}$/);
});

test('jobs of one millisecond are listed newest first, too', async () => {
  await using domain = await openDomain();
  const jobIds: string[] = [];
  for (let count = 0; count < 12; count += 1) jobIds.push(await inventory(domain));
  const { jobs } = await domain.jobs.list(photos, {});
  assert.deepEqual(
    jobs.map(({ jobId }) => jobId),
    jobIds.toReversed(),
  );
});

test('each tier, and an inventory, is due after its own delay', async () => {
  await using domain = await openDomain({ delaysMs });
  const archiveId = await storeText(domain, 'hello');
  const dueMs = async (jobId: string) =>
    (await domain.store.read(({ jobs }) => jobs.get(jobId)))?.dueAtMs;
  const nowMs = domain.clock.now();
  for (const tier of ['Expedited', 'Standard', 'Bulk'] as const) {
    assert.equal(await dueMs(await retrieve(domain, archiveId, { tier })), nowMs + delaysMs[tier]);
  }
  assert.equal(await dueMs(await retrieve(domain, archiveId)), nowMs + delaysMs.Standard);
  assert.equal(await dueMs(await inventory(domain)), nowMs + delaysMs.inventory);
});

test('a new job rings for the worker that does it, and for no other', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const { retrievals, inventories } = domain.arrivals;
  const heard: string[] = [];
  const stopping = new AbortController();
  const waits = [
    retrievals.wait(stopping.signal).then(() => heard.push('retrieval')),
    inventories.wait(stopping.signal).then(() => heard.push('inventory')),
  ];
  await retrieve(domain, archiveId);
  await waits[0];
  assert.deepEqual(heard, ['retrieval']);
  await inventory(domain);
  await Promise.all(waits);
  assert.deepEqual(heard, ['retrieval', 'inventory']);
});

test('a job in a vault that is not there is refused, once its parameters are right', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.archives.remove(photos, archiveId);
  await domain.vaults.remove(photos);
  await assert.rejects(retrieve(domain, archiveId), vaultNotFound);
  await assert.rejects(inventory(domain), vaultNotFound);
  await assert.rejects(
    inventory(domain, { archiveId }),
    invalid('The archive ID must not be specified for an inventory retrieval job'),
  );
});

test('an archive that was deleted, or never was, is not found', async () => {
  await using domain = await openDomain();
  const deleted = await storeText(domain, 'hello');
  await domain.archives.remove(photos, deleted);
  for (const archiveId of [deleted, 'a'.repeat(138), 'short', '']) {
    const refused = notFound(`The archive ID was not found: ${archiveId}`);
    await assert.rejects(retrieve(domain, archiveId), refused);
  }
});

test('an archive of another vault is refused in the service’s own words', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.vaults.create(videos);
  await assert.rejects(
    domain.jobs.initiate(videos, { type: 'archive-retrieval', archiveId }),
    invalid('Invalid vault name: arn:aws:glacier:us-east-1:012345678901:vaults/videos'),
  );
});

test('an archive that is deleted while its retrieval starts is not found', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  // Both transactions of the start are asked for around the one of the deletion.
  const started = retrieve(domain, archiveId);
  const removed = domain.archives.remove(photos, archiveId);
  await assert.rejects(started, notFound(`The archive ID was not found: ${archiveId}`));
  await removed;
});

const sizeBytes = 3 * mebibyte + 17;

test('a range is whole mebibytes, or ends with the archive', async () => {
  await using domain = await openDomain();
  const { archiveId } = await domain.archives.store(upload(sampleBytes(sizeBytes)));
  const last = sizeBytes - 1;
  for (const range of [
    `0-${last}`,
    `0-${mebibyte - 1}`,
    `${mebibyte}-${2 * mebibyte - 1}`,
    `${3 * mebibyte}-${last}`,
  ]) {
    const jobId = await retrieve(domain, archiveId, { retrievalByteRange: range });
    assert.equal((await domain.jobs.describe(photos, jobId)).retrievalByteRange, range);
  }
  for (const range of [
    '0-0',
    `1-${mebibyte}`,
    `0-${mebibyte}`,
    `0-${last - 1}`,
    `0-${last + 1}`,
    `0-${4 * mebibyte - 1}`,
    `${4 * mebibyte}-${5 * mebibyte - 1}`,
  ]) {
    const refused = invalid(`The retrieval byte range is not valid: ${range}`);
    await assert.rejects(retrieve(domain, archiveId, { retrievalByteRange: range }), refused);
  }
});

test('a range has a tree hash if and only if it is a node of the archive’s tree', async () => {
  await using domain = await openDomain();
  const bytes = sampleBytes(sizeBytes);
  const { archiveId } = await domain.archives.store(upload(bytes));
  for (let first = 0; first < sizeBytes; first += mebibyte) {
    for (let end = first + mebibyte; end < sizeBytes + mebibyte; end += mebibyte) {
      const last = Math.min(end, sizeBytes) - 1;
      const retrievalByteRange = `${first}-${last}`;
      const jobId = await retrieve(domain, archiveId, { retrievalByteRange });
      const expected = isNodeOfTree(first, last, sizeBytes)
        ? treeHashOf(bytes.subarray(first, last + 1))
        : null;
      const { sHA256TreeHash } = await domain.jobs.describe(photos, jobId);
      assert.equal(sHA256TreeHash, expected, retrievalByteRange);
    }
  }
});

test('a range of an archive whose bytes are lost is accepted: the job will tell', async () => {
  await using domain = await openDomain();
  const { archiveId } = await domain.archives.store(upload(sampleBytes(sizeBytes)));
  const [part] = await domain.store.read(({ archives }) => archives.blobs(archiveId));
  assert.ok(part !== undefined);
  await domain.blobs.remove(part.blobId);
  const retrievalByteRange = `0-${mebibyte - 1}`;
  const jobId = await retrieve(domain, archiveId, { retrievalByteRange });
  assert.equal((await domain.jobs.describe(photos, jobId)).sHA256TreeHash, null);
});

test('under Amazon’s timing there is no inventory job before the first inventory', async () => {
  await using domain = await openDomain({ inventoryMode: 'scheduled' });
  await storeText(domain, 'hello');
  const refused = notFound(
    'Inventory retrieval jobs for vault arn:aws:glacier:us-east-1:012345678901:vaults/photos ' +
      'cannot be initiated yet, as Amazon Glacier has not yet generated an initial inventory ' +
      'for this vault.',
  );
  await assert.rejects(inventory(domain), refused);
  await runUntilIdle(new RefreshInventories({ ...domain, intervalMs: 0 }));
  await inventory(domain);
});

test('a marker goes on in its own vault, and is refused everywhere else', async () => {
  await using domain = await openDomain();
  for (const text of ['a', 'b', 'c']) await storeText(domain, text);
  const jobId = await inventory(domain, { inventoryRetrievalParameters: { limit: '2' } });
  const worker = new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories });
  await runUntilIdle(worker);
  const { inventoryRetrievalParameters: shown } = await domain.jobs.describe(photos, jobId);
  const marker = shown?.marker ?? '';
  const rest = await inventory(domain, { inventoryRetrievalParameters: { marker } });
  await worker.step(goingOn);
  const whole = JSON.parse((await outputOf(domain, rest)).toString());
  assert.equal(whole.ArchiveList.length, 1);

  await domain.vaults.create(videos);
  const type = 'inventory-retrieval';
  for (const wrong of [marker, 'made up', '']) {
    await assert.rejects(
      domain.jobs.initiate(videos, { type, inventoryRetrievalParameters: { marker: wrong } }),
      invalid(`Invalid marker: ${wrong}`),
    );
  }
});
