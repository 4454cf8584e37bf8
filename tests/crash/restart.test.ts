import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  bytesOf,
  completedJob,
  createVault,
  deleteArchive,
  describeJob,
  describeVault,
  freshName,
  getOutput,
  initiateJob,
  inventoryOf,
  retrieve,
  upload,
  uploadHeaders,
} from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { headOf, RawConnection } from '../support/http.ts';
import { type SpawnedServer, spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';
import { storedFiles } from '../support/stored-files.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const env = accountSettings(testAccount);

function spawnOn(directory: TemporaryDirectory, settings: Record<string, string> = {}) {
  return spawnServer({ dataDirectory: directory.path, env: { ...env, ...settings } });
}

const apiOf = ({ url }: SpawnedServer) => new Api({ url, credentials: testAccount.credentials });

interface Acknowledged {
  readonly archives: Map<string, Buffer>;
  readonly vaults: string[];
}

/** Uploads and creates vaults without end, until the server is gone; notes what was answered. */
async function writeUntilKilled(api: Api, vault: string, done: Acknowledged, index: number) {
  try {
    for (;;) {
      const bytes = bytesOf(1 + Math.floor(Math.random() * (index % 2 === 0 ? 20_000 : 900_000)));
      done.archives.set(await upload(api, vault, bytes), bytes);
      done.vaults.push(await createVault(api));
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    // The connection broke: the server was killed, as planned.
  }
}

describe('a server that is killed', { concurrency: 3 }, () => {
  test('what was acknowledged is there after kill -9, round after round', async () => {
    using directory = new TemporaryDirectory();
    const vault = freshName();
    const done: Acknowledged = { archives: new Map(), vaults: [] };
    for (const enough of [3, 12, 25]) {
      await using server = await spawnOn(directory);
      using api = apiOf(server);
      await createVault(api, vault);
      const before = done.archives.size;
      const writers = [0, 1, 2, 3].map((index) => writeUntilKilled(api, vault, done, index));
      await eventually('enough is acknowledged', () => done.archives.size >= before + enough);
      await server.kill();
      await Promise.all(writers);
    }

    await using server = await spawnOn(directory);
    using api = apiOf(server);
    const inventory = await inventoryOf(api, vault);
    const listed = new Map(inventory.ArchiveList.map((each) => [each.ArchiveId, each]));
    for (const [archiveId, bytes] of done.archives) {
      assert.equal(listed.get(archiveId)?.Size, bytes.length);
      assert.ok((await retrieve(api, vault, archiveId)).equals(bytes), archiveId);
    }
    for (const name of done.vaults) assert.equal((await describeVault(api, name)).VaultName, name);

    // An upload may have been stored whose answer was lost: the totals agree with the inventory.
    const { NumberOfArchives, SizeInBytes } = await describeVault(api, vault);
    assert.equal(NumberOfArchives, listed.size);
    const total = inventory.ArchiveList.reduce((sum, { Size }) => sum + Size, 0);
    assert.equal(SizeInBytes, total);
  });

  test('what was deleted stays deleted after kill -9', async () => {
    using directory = new TemporaryDirectory();
    const vault = freshName();
    const gone = freshName();
    {
      await using server = await spawnOn(directory);
      using api = apiOf(server);
      await createVault(api, vault);
      await createVault(api, gone);
      const kept = await upload(api, vault, bytesOf(10));
      await deleteArchive(api, vault, await upload(api, vault, bytesOf(20)));
      assert.equal((await api.call('DELETE', `/-/vaults/${gone}`)).status, 204);
      assert.notEqual(kept, '');
      await server.kill();
    }
    await using server = await spawnOn(directory);
    using api = apiOf(server);
    const sizes = (await inventoryOf(api, vault)).ArchiveList.map(({ Size }) => Size);
    assert.deepEqual(sizes, [10]);
    assert.equal((await api.call('GET', `/-/vaults/${gone}`)).status, 404);
  });

  test('an upload that kill -9 interrupts leaves nothing', async () => {
    using directory = new TemporaryDirectory();
    const vault = freshName();
    const bytes = bytesOf(4_000_000);
    let before: ReadonlyMap<string, number>;
    {
      await using server = await spawnOn(directory);
      using api = apiOf(server);
      await createVault(api, vault);
      before = storedFiles(directory.path);
      const target = `/-/vaults/${vault}/archives`;
      const request = api.prepare('POST', target, { body: bytes, headers: uploadHeaders(bytes) });
      using connection = new RawConnection(server.url);
      connection.write(headOf(request));
      connection.write(bytes.subarray(0, 3_000_000));
      const isWriting = () => storedFiles(directory.path).size > before.size;
      await eventually('some of it is on the disk', isWriting);
      await server.kill();
    }
    await using server = await spawnOn(directory);
    using api = apiOf(server);
    assert.equal((await describeVault(api, vault)).NumberOfArchives, 0);
    assert.deepEqual([...storedFiles(directory.path).keys()], [...before.keys()]);
  });

  test('jobs in progress complete after a restart, on time', async () => {
    using directory = new TemporaryDirectory();
    const vault = freshName();
    const bytes = bytesOf(400_000);
    const settings = { FIRN_STANDARD_DELAY: '3s', FIRN_BULK_DELAY: '1h' };
    let jobs: string[];
    {
      await using server = await spawnOn(directory, settings);
      using api = apiOf(server);
      await createVault(api, vault);
      const ArchiveId = await upload(api, vault, bytes);
      const retrieval = { Type: 'archive-retrieval', ArchiveId };
      jobs = [
        await initiateJob(api, vault, retrieval),
        await initiateJob(api, vault, { Type: 'inventory-retrieval' }),
        await initiateJob(api, vault, { ...retrieval, Tier: 'Bulk' }),
      ];
      await server.kill();
    }
    await using server = await spawnOn(directory, settings);
    using api = apiOf(server);
    const [retrieval = '', inventory = '', bulk = ''] = jobs;
    const job = await completedJob(api, vault, retrieval);
    assert.equal(job.StatusCode, 'Succeeded');
    const tookMs = Date.parse(job.CompletionDate ?? '') - Date.parse(job.CreationDate);
    assert.ok(tookMs >= 3000, `${tookMs} ms`);
    assert.ok((await getOutput(api, vault, retrieval)).body.equals(bytes));
    assert.equal((await completedJob(api, vault, inventory)).StatusCode, 'Succeeded');
    assert.equal((await describeJob(api, vault, bulk)).StatusCode, 'InProgress');
  });

  test('a completed job and its output survive kill -9', async () => {
    using directory = new TemporaryDirectory();
    const vault = freshName();
    const bytes = bytesOf(2000);
    let jobId: string;
    let description: unknown;
    {
      await using server = await spawnOn(directory);
      using api = apiOf(server);
      await createVault(api, vault);
      const ArchiveId = await upload(api, vault, bytes);
      jobId = await initiateJob(api, vault, { Type: 'archive-retrieval', ArchiveId });
      description = await completedJob(api, vault, jobId);
      await server.kill();
    }
    await using server = await spawnOn(directory);
    using api = apiOf(server);
    assert.deepEqual(await describeJob(api, vault, jobId), description);
    assert.ok((await getOutput(api, vault, jobId)).body.equals(bytes));
  });
});
