import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../src/lib/node/sha256.ts';
import { leafSizeBytes, RunningTreeHash, toHex } from '../src/protocol/tree-hash.ts';
import { runScript } from './support/child.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { Figures } from './support/report.ts';
import { type BenchServer, startServer } from './support/server.ts';
import type { Transfer, Transferred } from './support/transfer.ts';
import { VaultClient } from './support/vault-client.ts';
import { ddSeconds, opensslSeconds, writeSeconds } from './support/yardsticks.ts';

/** A file of random bytes, and everything a client has to know about it. */
interface Source {
  readonly file: string;
  readonly mib: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly treeHash: string;
  /** Some of its bytes. */
  readonly bytes: Uint8Array;
}

export const large: Measurement = {
  name: 'large',
  summary: 'one large archive: uploaded in one request, retrieved, downloaded',
  async run(settings) {
    const { directory, mib, repeats, say } = settings;
    say(`large: making ${mib} MiB of random bytes`);
    const source = makeSource(join(directory, 'source.bin'), mib);
    const figures = new Figures();
    for (let repeat = 1; repeat <= repeats; repeat++) {
      say(`large: repeat ${repeat} of ${repeats}`);
      await inDirectory(join(directory, `repeat-${repeat}`), async (own) => {
        const yardsticks = await measureYardsticks(own, source);
        await measureServer({ ...settings, directory: own }, { source, yardsticks, figures });
      });
    }
    return {
      measurement: 'large',
      about: `${mib} MiB in one request over loopback, ${repeats} repeats, each on a new server`,
      figures: figures.list(),
      notes: [
        'Each reply had the right tree hash, and each archive was downloaded once more, not ' +
          'timed, and had the right SHA-256.',
      ],
    };
  },
};

/** In MiB/s; NaN where there is no such program. */
interface Yardsticks {
  readonly openssl: number;
  readonly disk: number;
  readonly dd: number;
}

async function measureYardsticks(directory: string, source: Source): Promise<Yardsticks> {
  // Not counted. A virtual disk is slow, and unevenly so, where it is written for the first time;
  // what is written below finds the blocks that this one leaves.
  writeSeconds(directory, source.mib, source.bytes);
  return {
    openssl: source.mib / (await opensslSeconds(source.file, source.sha256)),
    disk: source.mib / writeSeconds(directory, source.mib, source.bytes),
    dd: source.mib / (await ddSeconds(source.file, directory)),
  };
}

interface Repeat {
  readonly source: Source;
  readonly yardsticks: Yardsticks;
  readonly figures: Figures;
}

/** On a server of its own: what an earlier repeat left in memory would change this one. */
async function measureServer(settings: Settings, repeat: Repeat): Promise<void> {
  const { source, yardsticks, figures } = repeat;
  await using server = await startServer(settings);
  const vault = new VaultClient(server.port, 'large');
  await vault.create();
  const cpuAtStart = server.cpuSeconds();
  const uploaded = await upload(server, vault, source);
  const cpuAfterUpload = server.cpuSeconds();
  const { jobId, seconds: jobSeconds } = await vault.retrieve(uploaded.archiveId);
  const cpuBeforeDownload = server.cpuSeconds();
  const head = vault.outputHead(jobId);
  const downloaded = await transfer({ port: server.port, head });
  const cpuAtEnd = server.cpuSeconds();
  checkSize(downloaded, source);
  const checked = await transfer({ port: server.port, head, isHashed: true });
  if (checked.replySha256 !== source.sha256) throw new Error('What came back has other bytes.');

  const { openssl, disk, dd } = yardsticks;
  const up = source.mib / uploaded.seconds;
  const down = source.mib / downloaded.seconds;
  const gib = source.mib / 1024;
  figures.add('upload', 'MiB/s', up);
  figures.add('download', 'MiB/s', down);
  figures.add('`openssl dgst -sha256`', 'MiB/s', openssl);
  figures.add('disk: write, `fdatasync`', 'MiB/s', disk);
  figures.add('disk: `dd conv=fdatasync`', 'MiB/s', dd);
  figures.add('upload / (openssl / 2)', '', up / (openssl / 2));
  figures.add('upload / disk', '', up / disk);
  figures.add('download / openssl', '', down / openssl);
  figures.add('peak memory of the server', 'MiB', server.peakMemoryMib());
  figures.add('retrieval job', 's', jobSeconds);
  figures.add('processor time: server, upload', 's/GiB', (cpuAfterUpload - cpuAtStart) / gib);
  figures.add('… server, job', 's/GiB', (cpuBeforeDownload - cpuAfterUpload) / gib);
  figures.add('… server, download', 's/GiB', (cpuAtEnd - cpuBeforeDownload) / gib);
  figures.add('… client, upload', 's/GiB', uploaded.cpuSeconds / gib);
  figures.add('… client, download', 's/GiB', downloaded.cpuSeconds / gib);
}

async function upload(
  server: BenchServer,
  vault: VaultClient,
  source: Source,
): Promise<Transferred & { readonly archiveId: string }> {
  const head = vault.uploadHead({ ...source, description: 'measured' });
  const uploaded = await transfer({ port: server.port, head, file: source.file });
  const { status, complaint, archiveId, treeHash } = uploaded;
  if (status !== 201 || archiveId === null) {
    throw new Error(`The upload was answered ${status}: ${complaint}`);
  }
  if (treeHash !== source.treeHash) throw new Error(`The reply has another tree hash: ${treeHash}`);
  return { ...uploaded, archiveId };
}

async function transfer(task: Transfer): Promise<Transferred> {
  return (await runScript('transfer.ts', task)) as Transferred;
}

function checkSize({ status, replySizeBytes, complaint }: Transferred, source: Source): void {
  if (status !== 200) throw new Error(`The download was answered ${status}: ${complaint}`);
  if (replySizeBytes !== source.sizeBytes) {
    throw new Error(`${replySizeBytes} of ${source.sizeBytes} bytes came back.`);
  }
}

function makeSource(file: string, mib: number): Source {
  const whole = createHash('sha256');
  const tree = new RunningTreeHash(sha256);
  const bytes = Buffer.alloc(16 * leafSizeBytes);
  const descriptor = openSync(file, 'wx');
  for (let at = 0; at < mib; at++) {
    const start = (at % 16) * leafSizeBytes;
    const leaf = bytes.subarray(start, start + leafSizeBytes);
    randomFillSync(leaf);
    writeSync(descriptor, leaf);
    whole.update(leaf);
    tree.add(sha256(leaf));
  }
  closeSync(descriptor);
  const sizeBytes = mib * leafSizeBytes;
  const treeHash = toHex(tree.digest());
  return { file, mib, sizeBytes, sha256: whole.digest('hex'), treeHash, bytes };
}

async function inDirectory(path: string, work: (path: string) => Promise<void>): Promise<void> {
  mkdirSync(path);
  await work(path);
  rmSync(path, { recursive: true });
}
