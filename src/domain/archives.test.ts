import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  type Domain,
  goingOn,
  openDomain,
  photos,
  storeText,
  upload,
  videos,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { mebibyte, treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../protocol/errors.ts';
import { isArchiveId } from '../protocol/names.ts';
import {
  chunked,
  listIds,
  readBytes,
  sampleBytes,
  WatchedSource,
} from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import { Archives } from './archives.ts';
import { parseBlobLabel } from './blob-labels.ts';

fc.configureGlobal({ seed: 20_260_131 });

const text = Buffer.from('hello');
const arn = 'arn:aws:glacier:us-east-1:012345678901:vaults/photos';
const notFound = new GlacierError('ResourceNotFoundException', `Vault not found for ARN: ${arn}`);
const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);

const noRoom = { code: 'ServiceUnavailableException', message: /^There is no room for new data\./ };

const rowOf = (domain: Domain, archiveId: string) =>
  domain.store.read(({ archives }) => archives.get(archiveId));

async function totals({ store }: Domain) {
  const vault = await store.read(({ vaults }) => vaults.get(photos));
  return [vault?.archiveCount, vault?.sizeBytes, vault?.changes];
}

test('a stored archive has its bytes, its row and its place in the vault’s totals', async () => {
  await using domain = await openDomain();
  const stored = await domain.archives.store(upload(text, { description: 'greeting' }));
  assert.equal(stored.treeHash, treeHashOf(text));
  assert.equal(isArchiveId(stored.archiveId), true);
  const { vaultId, ...row } = (await rowOf(domain, stored.archiveId)) ?? { vaultId: '' };
  assert.notEqual(vaultId, '');
  assert.deepEqual(row, {
    archiveId: stored.archiveId,
    description: 'greeting',
    createdAtMs: domain.clock.now(),
    sizeBytes: 5,
    treeHash: stored.treeHash,
    addedChange: 1,
    removedChange: null,
  });
  assert.deepEqual(await totals(domain), [1, 5, 1]);
});

test('however a body is cut, the same archive is stored', async () => {
  await using domain = await openDomain();
  const bytes = sampleBytes(2 * mebibyte + 5);
  const cuts = fc.array(fc.integer({ min: 1, max: mebibyte + 1 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(cuts, async (sizes) => {
      const smallest = Math.min(...sizes);
      const body = chunked(bytes, [...sizes, Math.max(smallest, 100_000)]);
      const { archiveId, treeHash } = await domain.archives.store(upload(bytes, { body }));
      assert.equal(treeHash, treeHashOf(bytes));
      const [part] = await domain.store.read(({ archives }) => archives.blobs(archiveId));
      assert.ok(part !== undefined);
      const range = { offsetBytes: 0, lengthBytes: bytes.length };
      assert.ok(Buffer.from(bytes).equals(await readBytes(domain.blobs, part.blobId, range)));
      await domain.blobs.remove(part.blobId);
    }),
    { numRuns: 20 },
  );
});

test('a tree hash in capitals is the same tree hash', async () => {
  await using domain = await openDomain();
  const treeHash = treeHashOf(text).toUpperCase();
  const stored = await domain.archives.store(upload(text, { treeHash }));
  assert.equal(stored.treeHash, treeHash.toLowerCase());
});

test('an archive that is not what its tree hash says leaves nothing behind', async () => {
  await using domain = await openDomain();
  const computed = treeHashOf(text);
  for (const treeHash of ['0'.repeat(64), 'ABCD', computed.slice(2)]) {
    await assert.rejects(
      domain.archives.store(upload(text, { treeHash })),
      invalid(`Checksum mismatch: expected ${treeHash}, computed ${computed}`),
    );
  }
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(await totals(domain), [0, 0, 0]);
});

test('a body that fails leaves nothing behind, and its error is what the caller gets', async () => {
  await using domain = await openDomain();
  const reason = new GlacierError('InvalidSignatureException', 'not what was signed');
  async function* body() {
    yield text;
    throw reason;
  }
  await assert.rejects(domain.archives.store(upload(text, { body: body() })), reason);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(await totals(domain), [0, 0, 0]);
});

test('an upload whose caller is gone leaves nothing behind', async () => {
  await using domain = await openDomain();
  const reason = new Error('the client is gone');
  const leaving = new AbortController();
  async function* body() {
    yield text;
    leaving.abort(reason);
    yield text;
  }
  const { signal } = leaving;
  await assert.rejects(domain.archives.store(upload(text, { body: body(), signal })), reason);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('an upload to a vault that is not there is refused before a byte is read', async () => {
  await using domain = await openDomain();
  await domain.vaults.remove(photos);
  const body = faulty(chunked(text));
  body.failNext(Symbol.asyncIterator, new Error('the body was read'));
  await assert.rejects(domain.archives.store(upload(text, { body: body.it })), notFound);
});

test('an upload whose vault is deleted meanwhile leaves nothing behind', async () => {
  await using domain = await openDomain();
  async function* body() {
    yield text;
    await domain.vaults.remove(photos);
  }
  await assert.rejects(domain.archives.store(upload(text, { body: body() })), notFound);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('bytes whose row may be there, although its commit failed, are not removed', async () => {
  await using domain = await openDomain();
  const store = faulty(domain.store);
  const archives = new Archives({ ...domain, store: store.it });
  const lost = new StoreError('StoreUnavailable', 'the log could not be synced');
  store.failNext('write', lost);
  await assert.rejects(archives.store(upload(text)), lost);
  const [id, ...others] = await listIds(domain.blobs);
  assert.ok(id !== undefined && others.length === 0);
  assert.equal(domain.pins.isHeld(id), true);
});

test('bytes whose row found no room are removed', async () => {
  await using domain = await openDomain();
  const store = faulty(domain.store);
  const archives = new Archives({ ...domain, store: store.it });
  const full = new StoreError('StoreFull', 'no room for rows');
  store.failNext('write', full);
  await assert.rejects(archives.store(upload(text)), noRoom);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('a store that writes no rows any more takes in no byte of an archive', async () => {
  await using domain = await openDomain();
  const store = faulty(domain.store);
  const failed = new StoreError('StoreUnavailable', 'a sync failed');
  store.failNext('checkWritable', failed);
  const archives = new Archives({ ...domain, store: store.it });
  const source = new WatchedSource([sampleBytes(10)], 'stall');
  await assert.rejects(archives.store(upload(sampleBytes(10), { body: source })), failed);
  assert.equal(source.pulls, 0);
});

test('a full store refuses an upload before a byte is read, and one that it has no room for', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  domain.blobs.capacityBytes = domain.blobs.usedBytes + 10;
  await assert.rejects(domain.archives.store(upload(Buffer.alloc(11))), noRoom);
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  const body = faulty(chunked(text));
  body.failNext(Symbol.asyncIterator, new Error('the body was read'));
  await assert.rejects(domain.archives.store(upload(text, { body: body.it })), noRoom);
  assert.deepEqual(await totals(domain), [1, 5, 1]);
  await domain.archives.remove(photos, archiveId);
  assert.deepEqual(await totals(domain), [0, 0, 2]);
});

test('the label of an archive’s bytes says what its row says, and of which vault it is', async () => {
  await using domain = await openDomain();
  const bytes = sampleBytes(2 * mebibyte + 5);
  async function* slowly() {
    for await (const chunk of chunked(bytes)) {
      domain.clock.advance(1000);
      yield chunk;
    }
  }
  const description = 'grüße: 見本 "\\"';
  const incoming = upload(bytes, { body: slowly(), description });
  const { archiveId } = await domain.archives.store(incoming);
  const [blobId] = await listIds(domain.blobs);
  assert.ok(blobId !== undefined);
  const { addedChange: _, removedChange: __, ...row } = (await rowOf(domain, archiveId)) ?? {};
  const label = parseBlobLabel((await domain.blobs.describe(blobId)).label);
  assert.deepEqual(label, { kind: 'archive', version: 1, ...photos, ...row });
  assert.equal(label?.kind === 'archive' && label.createdAtMs, domain.clock.now());
});

test('an upload whose vault is deleted and made again meanwhile leaves nothing behind', async () => {
  await using domain = await openDomain();
  async function* body() {
    yield text;
    await domain.vaults.remove(photos);
    await domain.vaults.create(photos);
  }
  await assert.rejects(domain.archives.store(upload(text, { body: body() })), notFound);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(await totals(domain), [0, 0, 0]);
});

test('bytes are held in their place until their row is committed', async () => {
  await using domain = await openDomain();
  const isHeld = async () => (await listIds(domain.blobs)).map((id) => domain.pins.isHeld(id));
  const seen: boolean[][] = [];
  const store = new Proxy(domain.store, {
    get: (target, property) =>
      property === 'write'
        ? async (work: Parameters<typeof target.write>[0]) => {
            seen.push(await isHeld());
            return await target.write(work);
          }
        : Reflect.get(target, property).bind(target),
  });
  await new Archives({ ...domain, store }).store(upload(text));
  assert.deepEqual(seen, [[true]]);
  assert.deepEqual(await isHeld(), [false]);
});

test('uploads at the same time each become an archive, and every one counts', async () => {
  await using domain = await openDomain();
  const stored = await Promise.all(
    Array.from({ length: 20 }, () => domain.archives.store(upload(text))),
  );
  assert.equal(new Set(stored.map(({ archiveId }) => archiveId)).size, 20);
  assert.deepEqual(await totals(domain), [20, 100, 20]);
});

test('removing an archive takes it out of the vault and rings for its space', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.archives.remove(photos, archiveId);
  await domain.removals.wait(goingOn);
  assert.equal((await rowOf(domain, archiveId))?.removedChange, 2);
  assert.deepEqual(await totals(domain), [0, 0, 2]);
});

test('removing an archive again changes nothing, and neither does one that never was', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.archives.remove(photos, archiveId);
  await Promise.all([
    domain.archives.remove(photos, archiveId),
    domain.archives.remove(photos, archiveId),
    domain.archives.remove(photos, 'a'.repeat(138)),
  ]);
  assert.deepEqual(await totals(domain), [0, 0, 2]);
});

test('an archive removed twice at the same time is counted off once', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await storeText(domain, 'stays');
  await Promise.all(Array.from({ length: 5 }, () => domain.archives.remove(photos, archiveId)));
  assert.deepEqual(await totals(domain), [1, 5, 3]);
});

test('an archive of another vault is not removed, and the vault that was asked for is blamed', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.vaults.create(videos);
  await assert.rejects(
    domain.archives.remove(videos, archiveId),
    invalid('Invalid vault name: arn:aws:glacier:us-east-1:012345678901:vaults/videos'),
  );
  assert.equal((await rowOf(domain, archiveId))?.removedChange, null);
});

test('an archive of another account, or region, is as unknown as one that never was', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  for (const change of [{ accountId: '210987654321' }, { region: 'eu-west-1' }]) {
    const elsewhere = { ...photos, ...change };
    await domain.vaults.create(elsewhere);
    await domain.archives.remove(elsewhere, archiveId);
    const asked = { type: 'archive-retrieval', archiveId };
    await assert.rejects(
      domain.jobs.initiate(elsewhere, asked),
      new GlacierError('ResourceNotFoundException', `The archive ID was not found: ${archiveId}`),
    );
  }
  assert.equal((await rowOf(domain, archiveId))?.removedChange, null);
});

test('what cannot be an archive id is not found', async () => {
  await using domain = await openDomain();
  for (const id of ['', 'short', 'a'.repeat(139), `${'a'.repeat(137)}.`]) {
    await assert.rejects(
      domain.archives.remove(photos, id),
      new GlacierError('ResourceNotFoundException', `The archive ID was not found: ${id}`),
    );
  }
});

test('nothing is removed from a vault that is not there', async () => {
  await using domain = await openDomain();
  await domain.vaults.remove(photos);
  await assert.rejects(domain.archives.remove(photos, 'a'.repeat(138)), notFound);
  await assert.rejects(domain.archives.remove(photos, 'short'), notFound);
});
