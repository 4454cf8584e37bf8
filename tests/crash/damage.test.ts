import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
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
import { uploadInParts } from '../support/multipart.ts';
import { type SpawnedServer, spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

/** So many damages to each file. `FIRN_TEST_DAMAGES=100 npm test` for more. */
const damagesPerFile = Number(process.env['FIRN_TEST_DAMAGES'] ?? 1);
const env = accountSettings(testAccount);
const vault = 'a-vault';

interface Stored {
  readonly directory: TemporaryDirectory;
  readonly archives: ReadonlyMap<string, Buffer>;
}

const apiOf = ({ url }: SpawnedServer) => new Api({ url, credentials: testAccount.credentials });

/** A data directory that was well closed, with small and large archives in it, one of parts. */
async function storeSome(): Promise<Stored> {
  const directory = new TemporaryDirectory();
  const archives = new Map<string, Buffer>();
  await using server = await spawnServer({ dataDirectory: directory.path, env });
  using api = apiOf(server);
  await createVault(api, vault);
  for (const sizeBytes of [1, 20_000, 260_000, 2_500_000]) {
    const bytes = Buffer.alloc(sizeBytes, `${sizeBytes} `);
    archives.set(await upload(api, vault, bytes, `of ${sizeBytes}`), bytes);
  }
  const inParts = Buffer.alloc(1_070_000, 'in parts ');
  const description = `of ${inParts.length}`;
  archives.set(await uploadInParts(api, vault, inParts, { description }), inParts);
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
  return paths.filter((path) => !/server\.|reserve$/.test(path)).sort();
}

/** Changes `lengthBytes` somewhere in a file. */
function overwrite(
  path: string,
  { position, lengthBytes }: { position: number; lengthBytes: number },
  change: (byte: number) => number,
): void {
  const file = openSync(path, 'r+');
  const offset = Math.floor(position * Math.max(0, fstatSync(file).size - lengthBytes));
  const bytes = Buffer.alloc(lengthBytes);
  const length = readSync(file, bytes, 0, lengthBytes, offset);
  writeSync(file, bytes.subarray(0, length).map(change), 0, length, offset);
  closeSync(file);
}

function cutToHalf(path: string): void {
  truncateSync(path, statSync(path).size >> 1);
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

describe('damage on the disk', { concurrency: 2 }, async () => {
  const { directory, archives } = await storeSome();
  process.on('exit', () => directory[Symbol.dispose]());
  /** Damages a file of a copy; answers how many of the archives are refused then. */
  const refusalsAfter = async (path: string, damage: (path: string) => void): Promise<number> => {
    using copy = new TemporaryDirectory();
    cpSync(directory.path, copy.path, { recursive: true });
    damage(join(copy.path, path));
    return await refusalsOf(copy.path, archives);
  };
  for (const path of filesOf(directory.path)) {
    for (let index = 0; index < damagesPerFile; index += 1) {
      const position = (index + 0.5) / damagesPerFile;
      test(`a flipped bit at ${position.toFixed(3)} of ${path} costs one archive at most`, async () => {
        const flip = (file: string) =>
          overwrite(file, { position, lengthBytes: 1 }, (byte) => byte ^ 1);
        assert.ok((await refusalsAfter(path, flip)) <= 1);
      });
    }
    // Of the key there is one file: see the operations guide. It survives a damaged byte.
    if (path === 'master.key') continue;
    test(`a sector of zeros in ${path} costs no more than lay in it`, async () => {
      const zero = (file: string) => overwrite(file, { position: 0.6, lengthBytes: 512 }, () => 0);
      assert.ok((await refusalsAfter(path, zero)) < archives.size);
    });
    test(`${path} missing costs what lay in it and no more`, async () => {
      assert.ok((await refusalsAfter(path, rmSync)) < archives.size);
    });
    test(`${path} cut to half costs what lay behind and no more`, async () => {
      assert.ok((await refusalsAfter(path, cutToHalf)) < archives.size);
    });
  }
});
