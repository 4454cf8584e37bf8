import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { sampleBytes } from '../blob-specimen.ts';
import { DiskJournal } from './disk-journal.ts';
import { Layout } from './files.ts';
import { formatMasterKeyFile, parseMasterKeyFile } from './master-key-file.ts';
import { MasterKeys, masterKeyId } from './master-keys.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { WriteGate } from './write-gate.ts';

const format = readFileSync(join(import.meta.dirname, 'FORMAT.md'), 'utf8');
const golden = (name: string) => readFileSync(join(import.meta.dirname, 'golden', name), 'utf8');

/** 00 01 02 … 1f, as all that is random in the examples. */
const counting = (length: number) => Uint8Array.from({ length }, (_, index) => index);
const masterKey = new Uint8Array(32).fill(0x2a);
const newerMasterKey = new Uint8Array(32).fill(0x2b);
const hello = new TextEncoder().encode('Hello, journal!\n');
const layout = new Layout('/store');

describe('FORMAT.md, the journal', () => {
  test('a batch is written as the example shows', async () => {
    const { journal, files } = await newJournal({ lastNumber: 6 });
    await journal.append({ sequence: 1, payload: hello });
    const example = bytesOf(section('Journal'));
    const content = await contentOf(files, layout.journalFile(7));
    assert.deepEqual(content.subarray(0, example.length), example);
    assert.ok(content.subarray(example.length).every((byte) => byte === 0));
    assert.equal(content.length, example.length + 256 * 1024);
  });

  test('a batch is read as the example shows', async () => {
    const { journal, files } = await newJournal({ lastNumber: 6 });
    await journal[Symbol.asyncDispose]();
    await put(files, layout.journalFile(7), bytesOf(section('Journal')));
    assert.deepEqual(await read(files, [masterKey]), [{ sequence: 1, payload: hello }]);
  });
});

describe('journal files of each version', () => {
  // Written by version 2, when it was new: four batches, a torn one, zeros. The header at 0 was
  // wrapped anew by a rotation that had not come to the other one.
  test('version 2 is read', async () => {
    const { journal, files } = await newJournal({ lastNumber: 0 });
    await journal[Symbol.asyncDispose]();
    await put(files, layout.journalFile(1), bytesOf(golden('journal-2-0000000001.hex')));
    const expected = [0, 20, 1000, 64].map((size, index) => ({
      sequence: 41 + index,
      payload: sampleBytes(size, 41 + index),
    }));
    const found = await read(files, [newerMasterKey, masterKey], 40);
    assert.deepEqual(found, expected);
  });
});

describe('FORMAT.md, the master key file', () => {
  test('a master key file is written and read as the example shows', () => {
    const [, example = ''] = /```text\n(.*?)```/s.exec(section('Master key file')) ?? [];
    assert.equal(formatMasterKeyFile([counting(32)]), example.repeat(2));
    const parsed = parseMasterKeyFile(example);
    assert.ok(typeof parsed !== 'string' && parsed.isOurs);
    assert.deepEqual(parsed.keys, [counting(32)]);
    assert.ok(section('Master key file').includes(masterKeyId(counting(32))));
  });
});

/** A journal whose next file has the number after `lastNumber`. */
async function newJournal({ lastNumber }: { lastNumber: number }) {
  const files = new SimulatedFiles();
  for (const path of [layout.root, layout.version, layout.journal]) await files.makeDirectory(path);
  if (lastNumber > 0) await put(files, layout.journalFile(lastNumber), new Uint8Array(0));
  return { journal: await open(files, [masterKey]), files };
}

function open(files: SimulatedFiles, keys: [Uint8Array, ...Uint8Array[]]): Promise<DiskJournal> {
  return DiskJournal.open({
    layout,
    files,
    gate: new WriteGate(silentLog),
    storeId: Buffer.from(counting(16)).toString('hex'),
    masterKeys: new MasterKeys(keys),
    randomBytes: counting,
    clock: new SimulatedClock(Date.UTC(2026, 0, 1)),
    log: silentLog,
  });
}

async function read(files: SimulatedFiles, keys: [Uint8Array, ...Uint8Array[]], after = 0) {
  await using journal = await open(files, keys);
  const parts = await Array.fromAsync(journal.read(after));
  return parts.map((part) => {
    assert.ok('payload' in part, JSON.stringify(part));
    return { sequence: part.sequence, payload: Uint8Array.from(part.payload) };
  });
}

/** The part of the document under a title of the second level. */
function section(title: string): string {
  const from = format.split(`\n## ${title}\n`)[1];
  assert.ok(from, `FORMAT.md has a section ${title}`);
  return from.split('\n## ')[0] ?? '';
}

/** The bytes that a dump shows at the offsets that it names, and zeros between them. */
function bytesOf(dump: string): Uint8Array {
  const lines = dump.split('\n').filter((line) => /^[0-9a-f]{8} {2}/.test(line));
  const rowOf = (line: string) => Buffer.from(line.slice(8).replaceAll(' ', ''), 'hex');
  const last = lines.at(-1) ?? '';
  const bytes = new Uint8Array(Number.parseInt(last, 16) + rowOf(last).length);
  for (const line of lines) bytes.set(rowOf(line), Number.parseInt(line, 16));
  return bytes;
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
