import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { sampleBytes } from '../blob-specimen.ts';
import type { BlobId } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import { DiskBlobStore } from './disk-blob-store.ts';
import { Layout } from './files.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { readStoreId, writeStoreId } from './store-id.ts';

const format = readFileSync(join(import.meta.dirname, 'FORMAT.md'), 'utf8');
const [idExample = '', smallExample = '', largeExample = ''] = Array.from(
  format.matchAll(/```hex\n(.*?)```/gs),
  ([, dump = '']) => dump,
);
const hello = new TextEncoder().encode('Hello, glacier!\n');
const stars = new Uint8Array(300_000).fill(0x2a);

describe('FORMAT.md', () => {
  test('the id of a store is written and read as its example shows', async () => {
    const { files, layout } = await exampleStore();
    const id = '000102030405060708090a0b0c0d0e0f';
    await writeStoreId('/store', id, files);
    assertShows(idExample, await contentOf(files, layout.storeId));
    await files.unlink(layout.storeId);
    await put(files, layout.storeId, bytesOf(idExample));
    assert.equal(await readStoreId('/store', files), id);
  });

  test('a small blob is written as its example shows', async () => {
    const { store, files, layout } = await exampleStore();
    // Fills the segment up to the offset of the example.
    await store.write(once(sampleBytes(1024 - 128)));
    const { id } = await store.write(once(hello));
    assert.ok(format.includes(id));
    assertShows(smallExample, await contentOf(files, layout.segment(7)));
  });

  test('a small blob is read as its example shows', async () => {
    const { store, files, layout } = await exampleStore();
    await put(files, layout.segment(7), bytesOf(smallExample));
    const id = exampleId('s');
    assert.deepEqual(await readAll(store, id, hello.length), hello);
    await store.remove(id);
    const mark = (await contentOf(files, layout.segment(7))).subarray(1032, 1040);
    assert.equal(new TextDecoder().decode(mark), 'REMOVED\n');
  });

  test('a large blob is written and read as its example shows', async () => {
    const { store, files, layout } = await exampleStore();
    const { id } = await store.write(once(stars));
    assert.equal(id, exampleId('l'));
    const content = await contentOf(files, join(layout.large, id));
    assert.deepEqual(content.subarray(4096, 4096 + stars.length), stars);
    assert.ok(content.subarray(72, 4064).every((byte) => byte === 0));
    assertShows(largeExample, content);
    await store.remove(id);
    const example = bytesOf(largeExample);
    example.set(stars, 4096);
    await put(files, join(layout.large, id), example);
    assert.deepEqual(await readAll(store, id, stars.length), stars);
  });

  test('bytes of another version are refused by name', async () => {
    const { store, files, layout } = await exampleStore();
    const small = bytesOf(smallExample);
    small[1024 + 7] = 2;
    await put(files, layout.segment(7), small);
    const large = bytesOf(largeExample);
    large[7] = 2;
    await put(files, join(layout.large, exampleId('l')), large);
    for (const id of [exampleId('s'), exampleId('l')]) {
      await assert.rejects(store.leaves(id), (error) => {
        assert.ok(isStoreError(error, 'BlobCorrupt'));
        assert.match(error.message, /says format version 2, and this program reads version 1/);
        return true;
      });
    }
  });
});

/** A store whose next segment is number 7, and whose nonces are those of the examples. */
async function exampleStore() {
  const files = new SimulatedFiles('/');
  const options = {
    directory: '/store',
    files,
    randomBytes: (length: number) => Uint8Array.from({ length }, (_, index) => index),
    clock: new SimulatedClock(Date.UTC(2026, 0, 1)),
    log: silentLog,
  };
  const layout = new Layout('/store');
  await (await DiskBlobStore.open(options))[Symbol.asyncDispose]();
  await put(files, layout.segment(6), new Uint8Array(1));
  return { store: await DiskBlobStore.open(options), files, layout };
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

async function readAll(store: DiskBlobStore, id: BlobId, lengthBytes: number) {
  const reading = store.read(id, { offsetBytes: 0, lengthBytes });
  const chunks = await Array.fromAsync(reading, (chunk) => Uint8Array.from(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

async function* once(bytes: Uint8Array) {
  yield Uint8Array.from(bytes);
}
