import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  bytesOf,
  completedJob,
  createVault,
  describeVault,
  getOutput,
  type Inventory,
  initiateJob,
  jsonOf,
  upload as uploadWhole,
} from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import { headOf, RawConnection } from '../support/http.ts';
import {
  assertInvalid,
  assertUnknownUpload,
  listUploads,
  Multipart,
  uploadInParts,
} from '../support/multipart.ts';
import { SimulatedClock, startServer } from '../support/start-server.ts';
import { filesSince, storedFiles } from '../support/stored-files.ts';
import { onlyOwnServer } from '../support/target.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** A server whose clock is turned by hand, and somebody who calls it. */
async function timedServer(env: Readonly<Record<string, string>> = {}) {
  const clock = new SimulatedClock(Date.UTC(2026, 1, 3, 4, 5, 6, 789));
  const server = await startServer({ clock, env });
  after(() => server[Symbol.asyncDispose]());
  const { url, account, dataDirectory } = server;
  const api = new Api({ url, credentials: account.credentials, now: () => clock.now() });
  after(() => api[Symbol.dispose]());
  return { clock, api, dataDirectory };
}

describe('uploads in the course of time', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const { clock, api, dataDirectory } = await timedServer();
  const vault = await createVault(api);
  const bytes = bytesOf(1000);

  const isListed = async ({ id }: Multipart) => {
    const { UploadsList } = await listUploads(api, vault);
    return UploadsList.some(({ MultipartUploadId }) => MultipartUploadId === id);
  };

  async function assertOpen(upload: Multipart): Promise<void> {
    assert.equal((await upload.list()).status, 200);
    assert.ok(await isListed(upload));
  }

  async function retrieved(ArchiveId: string): Promise<Buffer> {
    const jobId = await initiateJob(api, vault, { Type: 'archive-retrieval', ArchiveId });
    await completedJob(api, vault, jobId, clock);
    return (await getOutput(api, vault, jobId)).body;
  }

  /** The upload is gone, now or as soon as the server has seen to it. */
  async function assertExpires(upload: Multipart): Promise<void> {
    await eventually('the upload is not listed any more', async () => {
      clock.advance(second);
      return !(await isListed(upload));
    });
    assertUnknownUpload(await upload.list(), upload);
    assertUnknownUpload(await upload.send(0, bytes), upload);
    assertUnknownUpload(await upload.finish(bytes), upload);
    assertUnknownUpload(await upload.abort(), upload);
  }

  test('an upload is there for 24 hours after it was initiated, and then gone', async () => {
    const upload = await Multipart.initiate(api, vault);
    clock.advance(24 * hour - 1);
    await assertOpen(upload);
    clock.advance(2);
    await assertExpires(upload);
  });

  const activities: Readonly<Record<string, (upload: Multipart) => Promise<void>>> = {
    'a part that arrives': (upload) => upload.put(mebibyte, bytesOf(10)),
    'a part that is replaced': (upload) => upload.put(0, bytesOf(10)),
    'a completion that fails': async (upload) => {
      const answer = await upload.finish(bytes, { 'x-amz-archive-size': '5' });
      assertInvalid(answer, 'Invalid x-amz-archive-size: 5');
    },
  };

  for (const [shown, act] of Object.entries(activities)) {
    test(`${shown} prolongs the life of an upload to 24 hours from then`, async () => {
      const upload = await Multipart.initiate(api, vault);
      await upload.put(0, bytes);
      for (let day = 0; day < 3; day += 1) {
        clock.advance(24 * hour - 1);
        await act(upload);
      }
      clock.advance(24 * hour - 1);
      await assertOpen(upload);
      clock.advance(2);
      await assertExpires(upload);
    });
  }

  const looks: Readonly<Record<string, (upload: Multipart) => Promise<void>>> = {
    'listing its parts': async (upload) => void (await upload.page()),
    'listing it': async (upload) => void (await listUploads(api, upload.vault)),
    'a part that fails': async (upload) => {
      const wrong = { 'x-amz-sha256-tree-hash': '0'.repeat(64) };
      assert.equal((await upload.send(0, bytesOf(10), wrong)).status, 400);
    },
    'a part that is refused': async (upload) => {
      assert.equal((await upload.send(5, bytesOf(10))).status, 400);
    },
  };

  for (const [shown, look] of Object.entries(looks)) {
    test(`${shown} does not prolong the life of an upload`, async () => {
      const upload = await Multipart.initiate(api, vault);
      clock.advance(23 * hour);
      await look(upload);
      clock.advance(hour + 1);
      await assertExpires(upload);
    });
  }

  test('the space of an upload that expires is given back', async () => {
    const before = storedFiles(dataDirectory);
    const upload = await Multipart.initiate(api, vault);
    await upload.putAll(bytesOf(2.75 * mebibyte));
    assert.ok(filesSince(dataDirectory, before).length > 0);
    clock.advance(24 * hour + 1);
    await assertExpires(upload);
    await eventually('the files of the parts are gone', () => {
      clock.advance(minute);
      return filesSince(dataDirectory, before).length === 0;
    });
  });

  test('nothing stays of a part whose upload expires while it arrives', async () => {
    const before = storedFiles(dataDirectory);
    const upload = await Multipart.initiate(api, vault);
    const part = bytesOf(mebibyte);
    using connection = new RawConnection(api.url);
    connection.write(headOf(upload.partRequest(0, part, { Expect: '100-continue' })));
    await connection.until(/100 Continue/);
    connection.write(part.subarray(0, 700_000));
    clock.advance(24 * hour + 1);
    await assertExpires(upload);
    connection.write(part.subarray(700_000));
    // A day without a byte is also more than a body may take.
    await connection.until(/HTTP\/1\.1 (?:204|404|408) /);
    assertUnknownUpload(await upload.list(), upload);
    await eventually('the file of the part is gone', () => {
      clock.advance(minute);
      return filesSince(dataDirectory, before).length === 0;
    });
  });

  test('a completed upload can be completed again for 24 hours', async () => {
    const upload = await Multipart.initiate(api, vault);
    await upload.put(0, bytes);
    clock.advance(hour);
    const archiveId = await upload.complete(bytes);
    clock.advance(24 * hour - second);
    assert.equal(await upload.complete(bytes), archiveId);
    assertUnknownUpload(await upload.abort(), upload);
    await eventually('it is forgotten some time', async () => {
      clock.advance(hour);
      return (await upload.finish(bytes)).status === 404;
    });
    assertUnknownUpload(await upload.finish(bytes), upload);
    assert.ok((await retrieved(archiveId)).equals(bytes));
  });

  test('an aborted upload can be aborted again for 24 hours', async () => {
    const upload = await Multipart.initiate(api, vault);
    clock.advance(hour);
    assertEmpty(await upload.abort(), 204);
    clock.advance(24 * hour - second);
    assertEmpty(await upload.abort(), 204);
    await eventually('it is forgotten some time', async () => {
      clock.advance(hour);
      return (await upload.abort()).status === 404;
    });
    assertUnknownUpload(await upload.abort(), upload);
  });

  test('an archive that was uploaded long ago does not go with its upload', async () => {
    const whole = bytesOf(2.75 * mebibyte);
    const archiveId = await uploadInParts(api, vault, whole);
    for (let day = 0; day < 5; day += 1) {
      clock.advance(24 * hour);
      await listUploads(api, vault);
    }
    assert.ok((await retrieved(archiveId)).equals(whole));
  });

  test('an upload shows when it was initiated, its archive when it was completed', async () => {
    const own = await createVault(api);
    clock.advance(hour);
    const initiatedAt = new Date(clock.now()).toISOString();
    const upload = await Multipart.initiate(api, own, { description: 'two dates' });
    clock.advance(3 * hour);
    await upload.put(0, bytes);
    assert.equal((await upload.page()).CreationDate, initiatedAt);
    const { UploadsList } = await listUploads(api, own);
    assert.equal(UploadsList[0]?.CreationDate, initiatedAt);
    clock.advance(2 * hour);
    const completedAt = new Date(clock.now()).toISOString();
    const archiveId = await upload.complete(bytes);
    clock.advance(hour);
    assert.equal(await upload.complete(bytes), archiveId);
    const jobId = await initiateJob(api, own, { Type: 'inventory-retrieval' });
    await completedJob(api, own, jobId, clock);
    const { ArchiveList } = jsonOf<Inventory>(await getOutput(api, own, jobId));
    assert.deepEqual(ArchiveList, [
      {
        ArchiveId: archiveId,
        ArchiveDescription: 'two dates',
        CreationDate: completedAt.replace(/\.\d{3}Z$/, 'Z'),
        Size: bytes.length,
        SHA256TreeHash: treeHashOf(bytes),
      },
    ]);
  });

  test('uploads are listed in the order in which they were initiated', async () => {
    const own = await createVault(api);
    const initiated: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      initiated.push((await Multipart.initiate(api, own)).id);
      clock.advance(1);
    }
    const { UploadsList } = await listUploads(api, own);
    const listed = UploadsList.map(({ MultipartUploadId }) => MultipartUploadId);
    assert.deepEqual(listed, initiated);
  });
});

describe('FIRN_UPLOAD_EXPIRY', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const { clock, api } = await timedServer({ FIRN_UPLOAD_EXPIRY: '10m' });

  test('says how long an upload lasts without activity', async () => {
    const vault = await createVault(api);
    const upload = await Multipart.initiate(api, vault);
    clock.advance(10 * minute - 1);
    await upload.put(0, bytesOf(10));
    clock.advance(10 * minute - 1);
    assert.equal((await upload.list()).status, 200);
    clock.advance(2);
    await eventually('the upload is gone', async () => {
      clock.advance(second);
      return (await upload.list()).status === 404;
    });
    assertUnknownUpload(await upload.list(), upload);
    assert.deepEqual(await listUploads(api, vault), { Marker: null, UploadsList: [] });
  });
});

describe("multipart uploads under Amazon's timing", { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const { clock, api } = await timedServer({ FIRN_TIMING: 'aws' });
  const bytes = bytesOf(1000);

  async function withPart(vault: string): Promise<Multipart> {
    const upload = await Multipart.initiate(api, vault);
    await upload.put(0, bytes);
    return upload;
  }

  /** Lets the day pass after which each changed vault has been inventoried. */
  async function nextInventory(vault: string): Promise<void> {
    const before = (await describeVault(api, vault)).LastInventoryDate;
    clock.advance(25 * hour);
    await eventually('the inventory is taken', async () => {
      clock.advance(minute);
      return (await describeVault(api, vault)).LastInventoryDate !== before;
    });
  }

  test('uploads that are not complete do not hinder the deletion of a vault', async () => {
    const vault = await createVault(api);
    await withPart(vault);
    await (await withPart(vault)).abort();
    assertEmpty(await api.call('DELETE', `/-/vaults/${vault}`), 204);
  });

  test('a completion does: it is a write since the last inventory', async () => {
    const vault = await createVault(api);
    await (await withPart(vault)).complete(bytes);
    const arn = `arn:aws:glacier:${api.region}:012345678901:vaults/${vault}`;
    const answer = await api.call('DELETE', `/-/vaults/${vault}`);
    const message = `Vault not empty or recently written to: ${arn}`;
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });

  test('an archive uploaded in parts is counted from the next inventory on', async () => {
    const vault = await createVault(api);
    await uploadWhole(api, vault, bytesOf(10));
    await nextInventory(vault);
    assert.equal((await describeVault(api, vault)).NumberOfArchives, 1);
    await (await withPart(vault)).complete(bytes);
    await withPart(vault);
    assert.equal((await describeVault(api, vault)).NumberOfArchives, 1);
    await nextInventory(vault);
    const { NumberOfArchives, SizeInBytes } = await describeVault(api, vault);
    const counted = { NumberOfArchives: 2, SizeInBytes: 1010 + 2 * 32_768 };
    assert.deepEqual({ NumberOfArchives, SizeInBytes }, counted);
  });
});
