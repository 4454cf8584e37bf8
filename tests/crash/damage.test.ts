import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  askForJob,
  completedJob,
  createVault,
  getOutput,
  inventoryOf,
  upload,
} from '../support/deeds.ts';
import { type SpawnedServer, spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

/** So many damages to each file. `FIRN_TEST_DAMAGES=100 npm test` for more. */
const damagesPerFile = Number(process.env['FIRN_TEST_DAMAGES'] ?? 3);
const env = accountSettings(testAccount);
const vault = 'a-vault';

interface Stored {
  readonly directory: TemporaryDirectory;
  readonly archives: ReadonlyMap<string, Buffer>;
}

const apiOf = ({ url }: SpawnedServer) => new Api({ url, credentials: testAccount.credentials });

/** A data directory that was well closed, with small and large archives in it. */
async function storeSome(): Promise<Stored> {
  const directory = new TemporaryDirectory();
  const archives = new Map<string, Buffer>();
  await using server = await spawnServer({ dataDirectory: directory.path, env });
  using api = apiOf(server);
  await createVault(api, vault);
  for (const sizeBytes of [1, 900, 20_000, 260_000, 300_000, 2_500_000]) {
    const bytes = Buffer.alloc(sizeBytes, `${sizeBytes} `);
    archives.set(await upload(api, vault, bytes, `of ${sizeBytes}`), bytes);
  }
  server.askToStop();
  await server.ended;
  return { directory, archives };
}

/** Every file of the store, by its path in the data directory. */
function filesOf(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  const paths = names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  return paths.filter((path) => !/server\.|master\.key|reserve/.test(path)).sort();
}

function flipByte(path: string, position: number): void {
  const file = openSync(path, 'r+');
  const offset = Math.floor(position * (fstatSync(file).size - 1));
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  writeSync(file, Buffer.of((byte[0] ?? 0) ^ 0x10), 0, 1, offset);
  closeSync(file);
}

/** Starts on a damaged copy: each archive comes back right or is refused; answers how many were. */
async function refusalsOf(directory: string, archives: Stored['archives']): Promise<number> {
  await using server = await spawnServer({ dataDirectory: directory, env });
  using api = apiOf(server);
  const listed = new Map(
    (await inventoryOf(api, vault)).ArchiveList.map((each) => [each.ArchiveId, each]),
  );
  let refusals = 0;
  for (const [archiveId, bytes] of archives) {
    assert.equal(listed.get(archiveId)?.ArchiveDescription, `of ${bytes.length}`, 'still listed');
    const asked = await askForJob(api, vault, { Type: 'archive-retrieval', ArchiveId: archiveId });
    assert.equal(asked.status, 202, asked.text);
    const jobId = asked.headers.get('x-amz-job-id') ?? '';
    const job = await completedJob(api, vault, jobId);
    if (job.StatusCode === 'Failed') {
      refusals += 1;
      continue;
    }
    assert.ok((await getOutput(api, vault, jobId)).body.equals(bytes), 'the right bytes');
  }
  return refusals;
}

describe('damage on the disk', async () => {
  const { directory, archives } = await storeSome();
  process.on('exit', () => directory[Symbol.dispose]());
  for (const path of filesOf(directory.path)) {
    for (let index = 0; index < damagesPerFile; index += 1) {
      const position = (index + 0.5) / damagesPerFile;
      test(`a flipped byte at ${position.toFixed(3)} of ${path} costs one archive at most`, async () => {
        using copy = new TemporaryDirectory();
        cpSync(directory.path, copy.path, { recursive: true });
        flipByte(join(copy.path, path), position);
        assert.ok((await refusalsOf(copy.path, archives)) <= 1);
      });
    }
    // Without its id a directory of blobs may be anybody's: that is refused, see its own test.
    if (path.endsWith('store.id')) continue;
    test(`${path} missing costs what lay in it and no more`, async () => {
      using copy = new TemporaryDirectory();
      cpSync(directory.path, copy.path, { recursive: true });
      rmSync(join(copy.path, path));
      assert.ok((await refusalsOf(copy.path, archives)) < archives.size);
    });
    test(`${path} cut to half costs what lay behind and no more`, async () => {
      using copy = new TemporaryDirectory();
      cpSync(directory.path, copy.path, { recursive: true });
      const file = openSync(join(copy.path, path), 'r');
      const { size } = fstatSync(file);
      closeSync(file);
      truncateSync(join(copy.path, path), size >> 1);
      assert.ok((await refusalsOf(copy.path, archives)) < archives.size);
    });
  }
});
