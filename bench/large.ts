import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../src/lib/node/sha256.ts';
import { leafSizeBytes, RunningTreeHash, toHex } from '../src/protocol/tree-hash.ts';
import { runScript } from './support/child.ts';
import { settle } from './support/disk.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { type Nginx, nginxMissing, startNginx } from './support/nginx.ts';
import { Figures } from './support/report.ts';
import { type BenchServer, startServer } from './support/server.ts';
import type { Transfer, Transferred } from './support/transfer.ts';
import { VaultClient } from './support/vault-client.ts';
import { opensslSeconds, writeSeconds } from './support/yardsticks.ts';

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

const aims = {
  uploadToNginx: 'at least 1.0',
  downloadToNginx: 'at least 0.3',
  uploadToOpenssl: 'at least 0.9',
} as const;

export const large: Measurement = {
  name: 'large',
  summary: 'one large archive: uploaded in one request, retrieved, downloaded',
  async run(settings) {
    const { directory, memoryDirectory, mib, repeats, say } = settings;
    say(`large: making ${mib} MiB of random bytes`);
    const source = makeSource(join(memoryDirectory ?? directory, 'source.bin'), mib);
    const figures = new Figures();
    await using nginx = await startNginx(join(directory, 'nginx'));
    // Not counted. A virtual disk is slow, and unevenly so, where it is written for the first time;
    // whoever writes below finds the blocks that this leaves.
    writeSeconds(directory, 3 * mib, source.bytes);
    for (let repeat = 1; repeat <= repeats; repeat++) {
      say(`large: pair ${repeat} of ${repeats}`);
      await measurePair({ settings, source, nginx, figures, isNginxFirst: repeat % 2 === 1 });
      if (memoryDirectory === undefined) continue;
      await measureInMemory({ ...settings, directory: memoryDirectory }, source, figures);
    }
    return {
      measurement: 'large',
      about: `${mib} MiB in one request over loopback, ${repeats} pairs, each on a new server`,
      figures: figures.list(),
      notes: [
        'Each reply had the right tree hash, and each archive was downloaded once more, not ' +
          'timed, and had the right SHA-256.',
        ...(nginx === undefined ? [nginxMissing] : []),
        ...(memoryDirectory === undefined ? ['There is no /dev/shm: nothing in memory.'] : []),
      ],
    };
  },
};

interface Pair {
  readonly settings: Settings;
  readonly source: Source;
  readonly nginx: Nginx | undefined;
  readonly figures: Figures;
  readonly isNginxFirst: boolean;
}

/** Firn and nginx, one after the other, on the same disk. */
async function measurePair(pair: Pair): Promise<void> {
  const { settings, source, nginx, figures, isNginxFirst } = pair;
  const measureNginx = () =>
    nginx === undefined ? undefined : putAndGet(settings.directory, nginx, source);
  const early = isNginxFirst ? await measureNginx() : undefined;
  const { up, down } = await inDirectory(join(settings.directory, 'firn'), (directory) =>
    measureServer({ ...settings, directory }, source, figures),
  );
  const other = early ?? (await measureNginx());
  if (other !== undefined) {
    figures.add('nginx: upload', 'MiB/s', other.up);
    figures.add('nginx: download', 'MiB/s', other.down);
    figures.add('upload / nginx', '', up / other.up, aims.uploadToNginx);
    figures.add('download / nginx', '', down / other.down, aims.downloadToNginx);
  }
  await settle(settings.directory);
  const diskSeconds = writeSeconds(settings.directory, source.mib, source.bytes);
  figures.add('disk: write, `fdatasync`', 'MiB/s', source.mib / diskSeconds);
}

/** In MiB/s. */
interface Rates {
  readonly up: number;
  readonly down: number;
}

/** On a server of its own: what an earlier repeat left in memory would change this one. */
async function measureServer(settings: Settings, source: Source, figures: Figures): Promise<Rates> {
  await using server = await startServer(settings);
  const vault = new VaultClient(server.port, 'large');
  await vault.create();
  await settle(settings.directory);
  const cpuAtStart = server.cpuSeconds();
  const uploaded = await upload(server, vault, source);
  const cpuAfterUpload = server.cpuSeconds();
  const { jobId, seconds: jobSeconds } = await vault.retrieve(uploaded.archiveId);
  await settle(settings.directory);
  const cpuBeforeDownload = server.cpuSeconds();
  const head = vault.outputHead(jobId);
  const downloaded = await transfer({ port: server.port, head });
  const cpuAtEnd = server.cpuSeconds();
  checkSize(downloaded, source);
  const checked = await transfer({ port: server.port, head, isHashed: true });
  if (checked.replySha256 !== source.sha256) throw new Error('What came back has other bytes.');

  const up = source.mib / uploaded.seconds;
  const down = source.mib / downloaded.seconds;
  const gib = source.mib / 1024;
  figures.add('upload', 'MiB/s', up);
  figures.add('download', 'MiB/s', down);
  figures.add('retrieval job', 's', jobSeconds);
  figures.add('peak memory of the server', 'MiB', server.peakMemoryMib());
  figures.add('processor time: server, upload', 's/GiB', (cpuAfterUpload - cpuAtStart) / gib);
  figures.add('… server, job', 's/GiB', (cpuBeforeDownload - cpuAfterUpload) / gib);
  figures.add('… server, download', 's/GiB', (cpuAtEnd - cpuBeforeDownload) / gib);
  figures.add('… client, upload', 's/GiB', uploaded.cpuSeconds / gib);
  figures.add('… client, download', 's/GiB', downloaded.cpuSeconds / gib);
  return { up, down };
}

/** The same bytes to nginx and back, by the same client. */
async function putAndGet(directory: string, { port, root }: Nginx, source: Source): Promise<Rates> {
  const host = `Host: 127.0.0.1:${port}\r\n`;
  const put = `PUT /large HTTP/1.1\r\n${host}Content-Length: ${source.sizeBytes}\r\n\r\n`;
  const get = `GET /large HTTP/1.1\r\n${host}\r\n`;
  await settle(directory);
  const uploaded = await transfer({ port, head: put, file: source.file });
  if (uploaded.status !== 201) throw new Error(`nginx answered ${uploaded.status}`);
  await settle(directory);
  const downloaded = await transfer({ port, head: get });
  checkSize(downloaded, source);
  rmSync(join(root, 'large'));
  return { up: source.mib / uploaded.seconds, down: source.mib / downloaded.seconds };
}

/** Where the disk costs nothing: what is left is the server, and is compared with a processor. */
async function measureInMemory(
  settings: Settings,
  source: Source,
  figures: Figures,
): Promise<void> {
  const openssl = source.mib / (await opensslSeconds(source.file, source.sha256));
  const up = await inDirectory(join(settings.directory, 'firn'), async (directory) => {
    await using server = await startServer({ ...settings, directory });
    const vault = new VaultClient(server.port, 'large');
    await vault.create();
    const uploaded = await upload(server, vault, source);
    return source.mib / uploaded.seconds;
  });
  figures.add('in memory: upload', 'MiB/s', up);
  figures.add('`openssl dgst -sha256`', 'MiB/s', openssl);
  figures.add('in memory: upload / (openssl / 2)', '', up / (openssl / 2), aims.uploadToOpenssl);
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

async function inDirectory<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
  mkdirSync(path);
  try {
    return await work(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}
