import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Api } from '../support/api.ts';
import { bytesOf, createVault, retrieve, upload } from '../support/deeds.ts';
import { firn } from '../support/firn.ts';
import { spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';
import { storedFiles } from '../support/stored-files.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const env = accountSettings(testAccount);
const { credentials } = testAccount;
const vault = 'photos';

interface Stored {
  readonly archiveId: string;
  readonly bytes: Buffer;
}

/** A data directory with a small and a large archive, on which no server runs any more. */
async function storedIn({ path }: TemporaryDirectory): Promise<readonly [Stored, Stored]> {
  await using server = await spawnServer({ dataDirectory: path, env });
  using api = new Api({ url: server.url, credentials });
  await createVault(api, vault);
  const store = async (sizeBytes: number): Promise<Stored> => {
    const bytes = bytesOf(sizeBytes);
    return { bytes, archiveId: await upload(api, vault, bytes) };
  };
  const stored = [await store(3_000), await store(5_000_000)] as const;
  server.askToStop();
  assert.equal((await server.ended).code, 0);
  return stored;
}

async function assertServed({ path }: TemporaryDirectory, stored: readonly Stored[]) {
  await using server = await spawnServer({ dataDirectory: path, env });
  using api = new Api({ url: server.url, credentials });
  for (const { archiveId, bytes } of stored) {
    assert.ok((await retrieve(api, vault, archiveId)).equals(bytes));
  }
}

test('`firn check` names an archive whose bytes were changed, and no other', async () => {
  using directory = new TemporaryDirectory();
  const [small, large] = await storedIn(directory);
  const sound = await firn(directory.path, 'check', '--json');
  assert.equal(sound.status, 0, sound.stderr);
  const report = JSON.parse(sound.stdout);
  assert.equal(report.isSound, true);
  assert.equal(report.archivesChecked, 2);
  assert.equal(report.bytesRead, 5_003_000);

  const files = [...storedFiles(directory.path)].sort(([, one], [, other]) => other - one);
  const name = files.map(([path]) => path).find((path) => path.includes('large')) ?? '';
  const path = join(directory.path, name);
  const content = readFileSync(path);
  const at = Math.floor(content.length / 2);
  content.writeUInt8(content.readUInt8(at) ^ 1, at);
  writeFileSync(path, content);

  const damaged = await firn(directory.path, 'check', '--json');
  assert.equal(damaged.status, 1);
  const found: { readonly archiveId: string }[] = JSON.parse(damaged.stdout).damaged;
  assert.deepEqual(
    found.map(({ archiveId }) => archiveId),
    [large.archiveId],
  );
  const people = await firn(directory.path, 'check');
  assert.equal(people.status, 1);
  assert.ok(people.stdout.includes(large.archiveId) && !people.stdout.includes(small.archiveId));
  assert.match(people.stderr, /1 of 2 archives damaged/);
});

test('`firn repair --rebuild` makes a database that is gone again', async () => {
  using directory = new TemporaryDirectory();
  const stored = await storedIn(directory);
  for (const name of readdirSync(directory.path)) {
    if (name.startsWith('metadata.sqlite')) rmSync(join(directory.path, name));
  }
  const { status, stdout, stderr } = await firn(directory.path, 'repair', '--rebuild', '--json');
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).lost, []);
  await assertServed(directory, stored);
});

test('`firn repair --rebuild` sets a database that is there aside', async () => {
  using directory = new TemporaryDirectory();
  const stored = await storedIn(directory);
  const { status, stdout, stderr } = await firn(directory.path, 'repair', '--rebuild', '--json');
  assert.equal(status, 0, stderr);
  const { setAside } = JSON.parse(stdout);
  assert.ok(setAside.startsWith(join(directory.path, 'metadata.sqlite')), setAside);
  assert.ok(readFileSync(setAside).length > 0);
  await assertServed(directory, stored);
});

test('`firn keys rotate` puts everything under another key, and all is still served', async () => {
  using directory = new TemporaryDirectory();
  const stored = await storedIn(directory);
  const keyIdOf = async (): Promise<string> =>
    JSON.parse((await firn(directory.path, 'status', '--json')).stdout).masterKeyId;
  const before = await keyIdOf();
  const { status, stdout, stderr } = await firn(directory.path, 'keys', 'rotate', '--json');
  assert.equal(status, 0, stderr);
  const { keyId, failed, removedKeyIds, masterKeyFile } = JSON.parse(stdout);
  assert.notEqual(keyId, before);
  assert.deepEqual(removedKeyIds, [before]);
  assert.deepEqual(failed, []);
  assert.equal(masterKeyFile, join(directory.path, 'master.key'));
  assert.equal(await keyIdOf(), keyId);
  await assertServed(directory, stored);
  assert.equal((await firn(directory.path, 'check')).status, 0);
});

test('commands on a directory that was never used fail and create nothing', async () => {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, 'mistyped');
  for (const command of [['check'], ['status'], ['repair', '--rebuild'], ['keys', 'rotate']]) {
    const { status, stderr } = await firn(path, ...command);
    assert.equal(status, 1);
    assert.match(stderr, /There is no Firn data in .*mistyped/);
  }
  assert.deepEqual(readdirSync(directory.path), []);
});
