import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  videos,
} from '../../tests/support/domain.ts';
import { completionOf, initiate, partOf, shownParts } from '../../tests/support/domain-uploads.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { TimeBounds } from '../lib/time-bounds.ts';
import { GlacierError } from '../protocol/errors.ts';
import { StoreError } from '../storage/errors.ts';
import { Uploads } from './uploads.ts';

const bytes = Buffer.from('hello');
const vaultArn = 'arn:aws:glacier:us-east-1:012345678901:vaults/videos';
const noVault = new GlacierError(
  'ResourceNotFoundException',
  `Vault not found for ARN: ${vaultArn}`,
);
const notFound = (uploadId: string) =>
  new GlacierError('ResourceNotFoundException', `The upload ID was not found: ${uploadId}`);
const noRoom = { code: 'ServiceUnavailableException', message: /^There is no room for new data\./ };

const rowOf = ({ store }: Domain, uploadId: string) =>
  store.read(({ uploads }) => uploads.get(uploadId));

/** All that can be done to an upload. */
const deeds = {
  'putting a part': ({ uploads }: Domain, uploadId: string) =>
    uploads.putPart(partOf(uploadId, 0, bytes)),
  'completing it': ({ uploads }: Domain, uploadId: string) =>
    uploads.complete(completionOf(uploadId, bytes)),
  'listing its parts': ({ uploads }: Domain, uploadId: string) =>
    uploads.listParts({ vault: photos, uploadId }, {}),
  'aborting it': ({ uploads }: Domain, uploadId: string) =>
    uploads.abort({ vault: photos, uploadId }),
};

test('an upload is initiated with its part size and its description, or without one', async () => {
  await using domain = await openDomain();
  const partSize = String(4 * mebibyte);
  const uploadId = await initiate(domain, { partSize, description: 'greeting' });
  assert.match(uploadId, /^[A-Za-z0-9][A-Za-z0-9_-]{91}$/);
  const { vaultId, ...row } = (await rowOf(domain, uploadId)) ?? { vaultId: '' };
  assert.notEqual(vaultId, '');
  assert.deepEqual(row, {
    uploadId,
    partSizeBytes: 4 * mebibyte,
    description: 'greeting',
    createdAtMs: domain.clock.now(),
    activeAtMs: domain.clock.now(),
    state: 'Open',
    archive: null,
    endedAtMs: null,
    isDiscarded: false,
  });
  const other = await initiate(domain);
  assert.notEqual(other, uploadId);
  assert.equal((await rowOf(domain, other))?.description, null);
});

test('parts are 1 MiB to 4 GiB long, times a power of two', async () => {
  await using domain = await openDomain();
  for (let power = 0; power <= 12; power += 1) {
    await initiate(domain, { partSize: String(mebibyte * 2 ** power) });
  }
  for (const partSize of [
    ...[undefined, '0', '1', '524288', '1048575', '1048577', '3145728', '8589934592'],
    ...['-1048576', '1e6', '1048576.0', ' 1048576', '', '9'.repeat(400)],
  ]) {
    const message =
      `Invalid part size: ${partSize ?? 'null'}. Part size must not be null, must be a power of ` +
      'two and be between 1048576 and 4294967296 bytes.';
    await assert.rejects(
      domain.uploads.initiate({ vault: photos, partSize, description: undefined }),
      new GlacierError('InvalidParameterValueException', message),
    );
  }
});

test('nothing is initiated in a vault that is not there, nor in a full store', async () => {
  await using domain = await openDomain();
  await assert.rejects(initiate(domain, { vault: videos }), noVault);
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  await assert.rejects(initiate(domain), noRoom);
  domain.blobs.capacityBytes = Number.POSITIVE_INFINITY;
  const store = faulty(domain.store);
  store.failNext('write', new StoreError('StoreFull', 'no room for rows'));
  const uploads = new Uploads({ ...domain, store: store.it });
  await assert.rejects(initiate({ uploads }), noRoom);
  assert.deepEqual((await domain.uploads.list(photos, {})).uploadsList, []);
});

test('aborting ends an upload at once and rings for its space, time and again for a day', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 0, bytes));
  await domain.uploads.abort({ vault: photos, uploadId });
  await domain.aborts.wait(goingOn);
  const aborted = await rowOf(domain, uploadId);
  assert.equal(aborted?.state, 'Aborted');
  domain.clock.advance(24 * hourMs - 1);
  await domain.uploads.abort({ vault: photos, uploadId });
  assert.deepEqual(await rowOf(domain, uploadId), aborted);
  domain.clock.advance(1);
  await assert.rejects(domain.uploads.abort({ vault: photos, uploadId }), notFound(uploadId));
});

test('an upload that was aborted takes nothing any more, and is not listed', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await domain.uploads.abort({ vault: photos, uploadId });
  for (const [name, deed] of Object.entries(deeds)) {
    if (name !== 'aborting it') await assert.rejects(deed(domain, uploadId), notFound(uploadId));
  }
  assert.deepEqual((await domain.uploads.list(photos, {})).uploadsList, []);
});

test('an upload that was completed is not aborted', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 0, bytes));
  const { archiveId } = await domain.uploads.complete(completionOf(uploadId, bytes));
  await assert.rejects(domain.uploads.abort({ vault: photos, uploadId }), notFound(uploadId));
  assert.equal((await rowOf(domain, uploadId))?.archive?.archiveId, archiveId);
});

test('an upload is known in its own vault only', async () => {
  await using domain = await openDomain();
  await domain.vaults.create(videos);
  const stranger = await initiate(domain, { vault: videos });
  for (const uploadId of [stranger, 'A'.repeat(92), '']) {
    for (const deed of Object.values(deeds)) {
      await assert.rejects(deed(domain, uploadId), notFound(uploadId));
    }
  }
  assert.equal((await rowOf(domain, stranger))?.state, 'Open');
});

test('whatever is asked in a vault that is not there, the vault is what is not found', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const { uploads } = domain;
  const elsewhere = { vault: videos, uploadId };
  await assert.rejects(uploads.putPart(partOf(uploadId, 0, bytes, elsewhere)), noVault);
  await assert.rejects(uploads.complete(completionOf(uploadId, bytes, elsewhere)), noVault);
  await assert.rejects(uploads.listParts(elsewhere, {}), noVault);
  await assert.rejects(uploads.abort(elsewhere), noVault);
  await assert.rejects(uploads.list(videos, {}), noVault);
});

for (const [name, deed] of Object.entries(deeds)) {
  test(`an upload that was idle for a day is as if it had never been: ${name}`, async () => {
    await using domain = await openDomain();
    const uploadId = await initiate(domain);
    domain.clock.advance(24 * hourMs - 1);
    assert.deepEqual(await shownParts(domain, uploadId), []);
    domain.clock.advance(1);
    await assert.rejects(deed(domain, uploadId), notFound(uploadId));
    assert.deepEqual((await domain.uploads.list(photos, {})).uploadsList, []);
  });
}

test('what is done to an upload keeps it from expiring, a completion that is refused too', async () => {
  await using domain = await openDomain({ uploadExpiryMs: hourMs });
  const uploadId = await initiate(domain);
  const wrong = completionOf(uploadId, bytes, { archiveSize: '77' });
  const active = [
    () => domain.uploads.putPart(partOf(uploadId, 0, bytes)),
    () => assert.rejects(domain.uploads.complete(wrong)),
    () => assert.rejects(domain.uploads.complete(wrong)),
    () => domain.uploads.putPart(partOf(uploadId, 0, bytes)),
  ];
  for (const act of active) {
    domain.clock.advance(hourMs - 1);
    await act();
  }
  domain.clock.advance(hourMs - 1);
  assert.equal((await shownParts(domain, uploadId)).length, 1);
  domain.clock.advance(1);
  await assert.rejects(shownParts(domain, uploadId), notFound(uploadId));
});

test('looking at an upload, or failing to put a part, does not keep it from expiring', async () => {
  await using domain = await openDomain({ uploadExpiryMs: hourMs });
  const uploadId = await initiate(domain);
  domain.clock.advance(hourMs - 1);
  await shownParts(domain, uploadId);
  await domain.uploads.list(photos, {});
  const wrong = partOf(uploadId, 0, bytes, { treeHash: '0'.repeat(64) });
  await assert.rejects(domain.uploads.putPart(wrong));
  domain.clock.advance(1);
  await assert.rejects(shownParts(domain, uploadId), notFound(uploadId));
});

test('what was done while the clock was far ahead keeps an upload no longer than else', async () => {
  await using domain = await openDomain();
  const yearsMs = 70 * 365 * 24 * hourMs;
  domain.clock.jump(yearsMs);
  const ids = [await initiate(domain), await initiate(domain)];
  const [put = '', refused = ''] = ids;
  await domain.uploads.putPart(partOf(put, 0, bytes));
  await assert.rejects(domain.uploads.complete(completionOf(refused, bytes)));
  const ended = await initiate(domain);
  await domain.uploads.abort({ vault: photos, uploadId: ended });
  domain.clock.jump(-yearsMs);
  domain.clock.advance(24 * hourMs - 1);
  for (const uploadId of ids) await shownParts(domain, uploadId);
  await domain.uploads.abort({ vault: photos, uploadId: ended });
  domain.clock.advance(1);
  for (const uploadId of ids) await assert.rejects(shownParts(domain, uploadId));
  const again = domain.uploads.abort({ vault: photos, uploadId: ended });
  await assert.rejects(again, notFound(ended));
});

test('a clock that is behind for a while makes no upload older than it is', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  domain.clock.jump(-48 * hourMs);
  await domain.uploads.putPart(partOf(uploadId, 0, bytes));
  await assert.rejects(domain.uploads.complete(completionOf(uploadId, Buffer.from('other'))));
  domain.clock.jump(48 * hourMs);
  // As after a restart, which believes the clock.
  const { clock, log } = domain;
  const timeBounds = new TimeBounds({ clock, log, longestMs: 24 * hourMs });
  const uploads = new Uploads({ ...domain, timeBounds });
  assert.equal((await shownParts({ uploads }, uploadId)).length, 1);
});

test('a clock that is set forward does not make uploads expire', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  domain.timeBounds.earliest();
  domain.clock.jump(1000 * hourMs);
  await domain.uploads.putPart(partOf(uploadId, 0, bytes));
  assert.equal((await shownParts(domain, uploadId)).length, 1);
});
