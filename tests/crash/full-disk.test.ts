import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import { askForJob, createVault, freshName } from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { Ledger } from '../support/ledger.ts';
import { SmallFileSystem } from '../support/small-file-system.ts';
import { type SpawnedServer, spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';

const env = accountSettings(testAccount);
const sizeMib = 160;

const spawnIn = ({ path }: SmallFileSystem) =>
  spawnServer({ dataDirectory: join(path, 'data'), env });
const apiOf = ({ url }: SpawnedServer) => new Api({ url, credentials: testAccount.credentials });

/** Uploads until that is refused, smaller ones when large ones are. */
async function fillByUploads(api: Api, ledger: Ledger): Promise<number> {
  for (let sizeBytes = 4_000_000; ; ) {
    const status = await ledger.upload(api, sizeBytes);
    if (status !== 201 && sizeBytes < 1000) return status;
    if (status !== 201) sizeBytes /= 10;
  }
}

async function healthOf({ url }: SpawnedServer): Promise<string> {
  const reply = await fetch(`${url}/healthz`);
  assert.equal(reply.status, 200);
  return ((await reply.json()) as { status: string }).status;
}

describe('a full disk', { skip: SmallFileSystem.whyNot() }, () => {
  test('uploads refuse, all else goes on, and room is used again within seconds', async () => {
    using disk = new SmallFileSystem(sizeMib);
    const ledger = new Ledger(freshName());
    await using server = await spawnIn(disk);
    using api = apiOf(server);
    await createVault(api, ledger.vault);
    assert.equal(await ledger.upload(api, 10_000), 201);

    assert.equal(await fillByUploads(api, ledger), 500);
    assert.equal(await healthOf(server), 'full');
    const refused = await api.call('PUT', `/-/vaults/${freshName()}`);
    assert.equal(refused.status, 500);
    assert.match(refused.text, /ServiceUnavailableException/);
    const job = await askForJob(api, ledger.vault, { Type: 'inventory-retrieval' });
    assert.equal(job.status, 500, 'a job that would need room for its output');

    for (let count = 0; count < 3; count += 1) assert.equal(await ledger.deleteOne(api), 204);
    await eventually('there is room again', async () => {
      return (await ledger.upload(api, 4_000_000)) === 201;
    });
    assert.equal(await healthOf(server), 'ok');
    assert.equal(await ledger.deleteOne(api), 204);
    await eventually('an inventory can be asked for', async () => {
      const answer = await askForJob(api, ledger.vault, { Type: 'inventory-retrieval' });
      return answer.status === 202;
    });
    await ledger.verify(api);
  });

  test('with not a byte left, deletions work out of the reserve, and so does a start', async () => {
    using disk = new SmallFileSystem(sizeMib);
    const ledger = new Ledger(freshName());
    {
      await using server = await spawnIn(disk);
      using api = apiOf(server);
      await createVault(api, ledger.vault);
      for (let count = 0; count < 40; count += 1) await ledger.upload(api, 20_000);
      for (let count = 0; count < 5; count += 1) await ledger.upload(api, 1_000_000);
      disk.fill();
      for (let count = 0; count < 10; count += 1) assert.equal(await ledger.deleteOne(api), 204);
      disk.fill();
      await server.kill();
    }
    {
      await using server = await spawnIn(disk);
      using api = apiOf(server);
      assert.equal(await ledger.deleteOne(api), 204);
      assert.equal(await ledger.upload(api, 100), 500);
      disk.clear();
      await eventually('uploads work again', async () => (await ledger.upload(api, 100)) === 201);
      await ledger.verify(api);
    }
  });
});
