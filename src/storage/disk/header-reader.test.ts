import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RecordedLog } from '../../../tests/support/recorded-log.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { type BeforeFileDeed, FaultyFiles, fileError } from './faulty-files.ts';
import {
  encodeFileHeader,
  type FileHeader,
  type FileKind,
  fileHeaderBytes,
  newDataKey,
} from './file-header.ts';
import { growingContentOffset, writeGrowingHeaders } from './header-copies.ts';
import { HeaderReader, reportedMax } from './header-reader.ts';
import { MasterKeys } from './master-keys.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { WriteGate } from './write-gate.ts';

const storeId = '000102030405060708090a0b0c0d0e0f';
const expected = { kind: 'segment', storeId, number: 7 } as const;
const path = '/file';
const secondCopy = growingContentOffset - fileHeaderBytes;
const damages = ['a header of the file fails its checksum'];

describe('HeaderReader', () => {
  test('a header of the file that it must be is read', async () => {
    const { file, header, headers, log } = await segmentFile();
    assert.deepEqual(await headers.read(file, path, expected), header);
    assert.deepEqual(log.events, []);
  });

  test('a header of another file is none, and what it is is said', async () => {
    const { file, headers } = await segmentFile();
    const read = (other: object) => headers.read(file, path, { ...expected, ...other });
    assert.equal(await read({ number: 8 }), 'its file is another one, segment 7');
    assert.equal(await read({ kind: 'journal' }), 'its file is another one, segment 7');
    const ofStore = await read({ storeId: 'f'.repeat(32) });
    assert.equal(ofStore, `its file belongs to another store, ${storeId}`);
  });

  test('a damaged copy is written anew from the other one, durably, and both is told', async () => {
    for (const offset of [0, secondCopy]) {
      const { files, file, header, headers, log } = await segmentFile();
      const sound = await contentOf(files);
      await file.write(Uint8Array.of(1), offset + 100);
      await file.sync();
      assert.deepEqual(await headers.read(file, path, expected), header);
      files.crash();
      assert.deepEqual(await contentOf(files), sound);
      assert.deepEqual(log.events, [
        { level: 'warn', event: 'file.header-damaged', facts: { path, damages, isLost: false } },
        { level: 'info', event: 'file.header-repaired', facts: { path } },
      ]);
    }
  });

  test('a copy that is damaged again is repaired again', async () => {
    const { file, headers, log } = await segmentFile();
    for (let time = 0; time < 2; time += 1) {
      await file.write(Uint8Array.of(1), 100);
      await headers.read(file, path, expected);
      await headers.read(file, path, expected);
    }
    assert.deepEqual(log.names('info'), ['file.header-repaired', 'file.header-repaired']);
  });

  test('a store that may not change reports each file once, and writes nothing', async () => {
    const { file, header, headers, log, gate } = await segmentFile((deed) => {
      assert.ok(deed !== 'write' && deed !== 'sync');
    });
    gate.close();
    await file.write(Uint8Array.of(1), 100);
    for (const each of [path, path, '/another']) {
      assert.deepEqual(await headers.read(file, each, expected), header);
    }
    assert.deepEqual(log.events, [
      { level: 'warn', event: 'file.header-damaged', facts: { path, damages, isLost: false } },
      {
        level: 'warn',
        event: 'file.header-damaged',
        facts: { path: '/another', damages, isLost: false },
      },
    ]);
  });

  test('a repair that fails is told once, and the header is read all the same', async () => {
    for (const failing of ['open', 'write', 'sync'] as const) {
      const { file, header, headers, log } = await segmentFile((deed) => {
        if (deed === failing) throw fileError('EROFS', deed);
      });
      await file.write(Uint8Array.of(1), 100);
      for (let time = 0; time < 3; time += 1) {
        assert.deepEqual(await headers.read(file, path, expected), header);
      }
      const told = ['file.header-damaged', 'file.header-not-repaired'];
      assert.deepEqual(log.names('warn'), told, failing);
    }
  });

  test('a file with both copies damaged stays as it is, and is told to be lost', async () => {
    const { files, file, headers, log } = await segmentFile();
    for (const offset of [0, secondCopy]) await file.write(Uint8Array.of(1), offset + 100);
    const before = await contentOf(files);
    assert.equal(await headers.read(file, path, expected), damages[0]);
    assert.deepEqual(await contentOf(files), before);
    assert.deepEqual(
      log.events.map(({ facts }) => facts['isLost']),
      [true],
    );
  });

  test('the end of a file that was cut off is no place for a header', async () => {
    for (const cutBytes of [1, 500, fileHeaderBytes]) {
      const { files, file, header, headers } = await closedFile();
      await file.truncate((await file.size()) - cutBytes);
      const before = await contentOf(files);
      assert.deepEqual(await headers.read(file, path, { kind: 'large', storeId }), header);
      assert.deepEqual(await contentOf(files), before);
    }
  });

  test('either copy of a file of one blob is repaired', async () => {
    for (const [at, offsets] of [
      [0, 0],
      [1, 5120],
    ] as const) {
      const { files, file, header, headers } = await closedFile();
      const sound = await contentOf(files);
      assert.equal(sound.length, 5120 + fileHeaderBytes);
      await file.write(Uint8Array.of(1), offsets + 100);
      assert.deepEqual(await headers.read(file, path, { kind: 'large', storeId }), header, `${at}`);
      assert.deepEqual(await contentOf(files), sound);
    }
  });

  test('no more files are remembered than there is a limit for', async () => {
    const { file, headers, log, gate } = await segmentFile();
    gate.close();
    await file.write(Uint8Array.of(1), 100);
    for (let count = 0; count <= reportedMax; count++) {
      await headers.read(file, `/${count}`, expected);
    }
    await headers.read(file, '/0', expected);
    assert.equal(log.events.length, reportedMax + 2);
  });
});

async function segmentFile(before?: BeforeFileDeed) {
  const made = await fileOf('segment', before);
  await writeGrowingHeaders(made.file, made.header);
  await made.file.sync();
  return made;
}

/** As if it held a blob and a description of 1024 bytes together. */
async function closedFile() {
  const made = await fileOf('large');
  const bytes = encodeFileHeader(made.header);
  for (const offset of [0, 5120]) await made.file.write(bytes, offset);
  return made;
}

async function fileOf(kind: FileKind, before: BeforeFileDeed = () => {}) {
  const identity = { ...expected, kind, fileId: 'f'.repeat(32), createdAtMs: 0 };
  const masterKeys = new MasterKeys([new Uint8Array(32)]);
  const { wrappedKey } = newDataKey(identity, { masterKeys, randomBytes: systemRandomBytes });
  const sizes = kind === 'large' ? { contentBytes: 8, descriptionBytes: 1000 } : noSizes;
  const header: FileHeader = { ...identity, wrappedKey, ...sizes };
  const files = new SimulatedFiles('/');
  const file = await files.create(path);
  await files.syncDirectory('/');
  const log = new RecordedLog();
  const gate = new WriteGate(new RecordedLog());
  const headers = new HeaderReader({ files: new FaultyFiles(files, before), gate, log });
  return { files, file, header, headers, log, gate };
}

const noSizes = { contentBytes: 0, descriptionBytes: 0 };

async function contentOf(files: SimulatedFiles): Promise<Uint8Array> {
  const file = await files.open(path);
  const bytes = new Uint8Array(await file.size());
  await file.read(bytes, 0);
  return bytes;
}
