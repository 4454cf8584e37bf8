import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { sampleBytes } from '../blob-specimen.ts';
import type { BlobId } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import { DiskVolume } from './disk-volume.ts';
import { Layout } from './files.ts';
import { inlineFrameCiphers } from './frame-ciphers.ts';
import { MasterKeys } from './master-keys.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { readStoreId, writeStoreId } from './store-id.ts';

const format = readFileSync(join(import.meta.dirname, 'FORMAT.md'), 'utf8');
const golden = (name: string) => readFileSync(join(import.meta.dirname, 'golden', name), 'utf8');
const hello = new TextEncoder().encode('Hello, glacier!\n');
const stars = new Uint8Array(300_000).fill(0x2a);
const storeId = '000102030405060708090a0b0c0d0e0f';
const writing = { label: () => '{"an":"example"}' };
const layout = new Layout('/store');

describe('FORMAT.md', () => {
  test('the id of a store is written and read as its example shows', async () => {
    const { files } = await exampleVolume();
    await writeStoreId('/store', storeId, files);
    assertShows(exampleIn('Directories'), await contentOf(files, layout.storeId));
    await files.unlink(layout.storeId);
    await put(files, layout.storeId, bytesOf(exampleIn('Directories')));
    assert.equal(await readStoreId('/store', files), storeId);
  });

  test('a small blob is written as its example shows', async () => {
    const { volume, files } = await exampleVolume();
    const { id } = await volume.blobs.write(once(hello), writing);
    assert.equal(id, exampleId('s'));
    assertShows(exampleIn('Segments'), await contentOf(files, layout.segment(7)));
  });

  test('a small blob is read as its example shows', async () => {
    const { volume, files } = await exampleVolume();
    await put(files, layout.segment(7), bytesOf(exampleIn('Segments')));
    const id = exampleId('s');
    assert.deepEqual(await readAll(volume, id, hello.length), hello);
    assert.equal((await volume.blobs.describe(id)).label, writing.label());
    await volume.blobs.remove(id);
    const mark = (await contentOf(files, layout.segment(7))).subarray(65_544, 65_552);
    assert.equal(new TextDecoder().decode(mark), 'REMOVED\n');
  });

  test('a large blob is written and read as its example shows', async () => {
    const { volume, files } = await exampleVolume();
    const { id } = await volume.blobs.write(once(stars), writing);
    assert.equal(id, exampleId('l'));
    const content = await contentOf(files, join(layout.large, id));
    assertShows(exampleIn('Large blobs'), content);
    await volume.blobs.remove(id);
    // The frame itself is not shown.
    const example = content.slice();
    example.set(bytesOf(exampleIn('Large blobs')).subarray(0, 4096), 0);
    await put(files, join(layout.large, id), example);
    assert.deepEqual(await readAll(volume, id, stars.length), stars);
  });

  test('bytes of another version are refused by name', async () => {
    const { volume, files } = await exampleVolume();
    const small = bytesOf(exampleIn('Segments'));
    small[65_536 + 7] = 3;
    await put(files, layout.segment(7), small);
    const large = bytesOf(exampleIn('Large blobs'));
    for (const header of [0, large.length - 4096]) large[header + 7] = 3;
    await put(files, join(layout.large, exampleId('l')), large);
    for (const id of [exampleId('s'), exampleId('l')]) {
      await assert.rejects(volume.blobs.describe(id), (error) => {
        assert.ok(isStoreError(error, 'BlobCorrupt'));
        assert.match(error.message, /format version 3, and this program reads version 2/);
        return true;
      });
    }
  });
});

describe('files of blobs of each version', () => {
  // Written by version 2, when it was new: blobs of 16, 0 and 1000 bytes, of which the first was
  // removed.
  test('a segment of version 2 is read', async () => {
    const segment = bytesOf(golden('segment-2-0000000007.hex'));
    const { volume } = await exampleVolume({ path: layout.segment(7), bytes: segment });
    const listed = await Array.fromAsync(volume.blobs.list());
    assert.deepEqual(
      listed.map(({ id }) => id),
      ['s.7.65728.0.', 's.7.65920.1000.'].map((id) => `${id}${storeId}`),
    );
    for (const { id, sizeBytes } of listed) {
      assert.deepEqual(await readAll(volume, id, sizeBytes), sampleBytes(sizeBytes));
      assert.equal((await volume.blobs.describe(id)).label, `of ${sizeBytes} bytes`);
    }
  });

  test('a large blob of version 2 is read', async () => {
    const { volume, files } = await exampleVolume();
    const id = `l.1767225600000.3000.${storeId}` as BlobId;
    await put(files, join(layout.large, id), bytesOf(golden('large-2.hex')));
    assert.deepEqual(await readAll(volume, id, 3000), sampleBytes(3000));
    const { label, leaves } = await volume.blobs.describe(id);
    assert.deepEqual([label, leaves.length], ['{"an":"example"}', 32]);
  });

  test('a snapshot of version 2 is read', async () => {
    const { volume, files } = await exampleVolume();
    const name = `41-1767225600000-${storeId}`;
    await put(files, join(layout.snapshots, name), bytesOf(golden('snapshot-2.hex')));
    const [snapshot] = await volume.snapshots.list();
    const takenAtMs = Date.UTC(2026, 0, 1);
    assert.deepEqual(snapshot, { name, sequence: 41, takenAtMs, sizeBytes: 2000 });
    const chunks = await Array.fromAsync(volume.snapshots.read(name), (chunk) => chunk.slice());
    assert.deepEqual(chunks, [sampleBytes(2000)]);
  });
});

/** A volume that has a file, and whose keys and nonces are those of the examples. */
async function exampleVolume(
  { path, bytes }: { path: string; bytes: Uint8Array } = {
    path: layout.segment(6),
    bytes: new Uint8Array(1),
  },
): Promise<{ volume: DiskVolume; files: SimulatedFiles }> {
  const files = new SimulatedFiles('/');
  const options = {
    directory: '/store',
    files,
    storeId,
    masterKeys: new MasterKeys([new Uint8Array(32).fill(0x2a)]),
    randomBytes: (length: number) => Uint8Array.from({ length }, (_, index) => index),
    clock: new SimulatedClock(Date.UTC(2026, 0, 1)),
    ciphers: inlineFrameCiphers,
    log: silentLog,
    segmentAheadBytes: 0,
  };
  await (await DiskVolume.open(options))[Symbol.asyncDispose]();
  await put(files, path, bytes);
  return { volume: await DiskVolume.open(options), files };
}

/** The first dump in the part of the document under a title of the second level. */
function exampleIn(title: string): string {
  const [, section = ''] = format.split(`\n## ${title}\n`);
  const [, dump] = /```hex\n(.*?)```/s.exec(section.split('\n## ')[0] ?? '') ?? [];
  assert.ok(dump, `FORMAT.md has an example in the section ${title}`);
  return dump;
}

function exampleId(kind: 's' | 'l'): BlobId {
  const [, id = ''] = new RegExp(`\`(${kind}\\.[0-9][0-9a-f.]+)\``).exec(format) ?? [];
  return id as BlobId;
}

/** The bytes that a dump shows at the offsets that it names, and zeros between them. */
function bytesOf(dump: string): Uint8Array {
  const lines = dump.split('\n').filter((line) => /^[0-9a-f]{8} /.test(line));
  const rowOf = (line: string) => Buffer.from(line.slice(8).replaceAll(' ', ''), 'hex');
  const last = lines.at(-1) ?? '';
  const bytes = new Uint8Array(Number.parseInt(last, 16) + rowOf(last).length);
  for (const line of lines) bytes.set(rowOf(line), Number.parseInt(line, 16));
  return bytes;
}

function assertShows(dump: string, content: Uint8Array): void {
  const shown = bytesOf(dump);
  assert.equal(content.length, shown.length);
  for (const line of dump.split('\n').filter((each) => each.includes('  '))) {
    const at = Number.parseInt(line, 16);
    assert.deepEqual(content.slice(at, at + 16), shown.slice(at, at + 16), line);
  }
}

async function put(files: SimulatedFiles, path: string, bytes: Uint8Array): Promise<void> {
  await (await files.create(path)).write(bytes, 0);
}

async function contentOf(files: SimulatedFiles, path: string): Promise<Uint8Array> {
  const file = await files.open(path);
  const bytes = new Uint8Array(await file.size());
  await file.read(bytes, 0);
  return bytes;
}

async function readAll(volume: DiskVolume, id: BlobId, lengthBytes: number) {
  const reading = volume.blobs.read(id, { offsetBytes: 0, lengthBytes });
  const chunks = await Array.fromAsync(reading, (chunk) => Uint8Array.from(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

async function* once(bytes: Uint8Array) {
  yield Uint8Array.from(bytes);
}
