import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { withBadSectors } from './bad-sectors.ts';
import { fileError } from './faulty-files.ts';
import { encodeFileHeader, type FileHeader, fileHeaderBytes, newDataKey } from './file-header.ts';
import type { OpenFile } from './files.ts';
import {
  copyOffsets,
  growingContentOffset,
  readClosedHeader,
  readGrowingHeader,
  writeGrowingHeaders,
} from './header-copies.ts';
import { MasterKeys } from './master-keys.ts';
import { SimulatedFiles } from './simulated-files.ts';

const means = {
  masterKeys: new MasterKeys([new Uint8Array(32)]),
  randomBytes: systemRandomBytes,
};

const sound = { damages: [], damagedOffsets: [] };

describe('the two headers of a file', () => {
  test('a file that grows has both before its content, apart', async () => {
    const { file, header } = await growingFile();
    assert.equal(await file.size(), growingContentOffset);
    assert.deepEqual(await copyOffsets(file, header), [0, growingContentOffset - fileHeaderBytes]);
    assert.deepEqual(await readGrowingHeader(file), { header, ...sound });
  });

  test('a file of one blob has one at each end', async () => {
    const { file, header } = await closedFile();
    assert.deepEqual(await copyOffsets(file, header), [0, fileHeaderBytes + 1000]);
    assert.deepEqual(await readClosedHeader(file), { header, ...sound });
  });

  test('either is enough, and what is wrong with the other is told', async () => {
    for (const [made, read] of [
      [growingFile, readGrowingHeader],
      [closedFile, readClosedHeader],
    ] as const) {
      const { file, header } = await made();
      for (const offset of await copyOffsets(file, header)) {
        await file.write(Uint8Array.of(0xff), offset + 200);
        const copies = await read(file);
        assert.deepEqual(copies.header, header);
        assert.deepEqual(copies.damages, ['a header of the file fails its checksum']);
        assert.deepEqual(copies.damagedOffsets, [offset]);
        await file.write(Uint8Array.of(0), offset + 200);
      }
      for (const offset of await copyOffsets(file, header)) {
        await file.write(Uint8Array.of(0xff), offset + 200);
      }
      const copies = await read(file);
      assert.deepEqual([copies.header, copies.damages.length], [undefined, 2]);
    }
  });

  test('one that the disk refuses to read is as good as damaged', async () => {
    const files = new SimulatedFiles('/');
    await writeGrowingHeaders(await files.create('/file'), newHeader('segment'));
    const bad = withBadSectors(files, (offset) => {
      if (offset === 0) throw fileError('EIO', 'read');
    });
    const { header, damages } = await readGrowingHeader(await bad.open('/file', 'read'));
    assert.equal(header?.kind, 'segment');
    assert.deepEqual(damages, ['a header of the file cannot be read']);
  });

  test('a header that is not accepted is as good as damaged', async () => {
    const { file, header } = await growingFile();
    const accept = ({ number }: FileHeader) => (number === 7 ? 'it is number 7' : undefined);
    const refused = await readGrowingHeader(file, accept);
    assert.equal(refused.header, undefined);
    assert.deepEqual(refused.damages, ['it is number 7', 'it is number 7']);
    assert.deepEqual(await readGrowingHeader(file, () => undefined), { header, ...sound });
  });

  test('a file that is too short has no header', async () => {
    for (const size of [0, 1, fileHeaderBytes - 1, fileHeaderBytes]) {
      const { file } = await closedFile();
      await file.write(new Uint8Array(fileHeaderBytes), 0);
      await file.truncate(size);
      for (const read of [readGrowingHeader, readClosedHeader]) {
        assert.equal((await read(file)).header, undefined, `${size} bytes`);
      }
    }
  });
});

async function growingFile(): Promise<{ file: OpenFile; header: FileHeader }> {
  const file = await new SimulatedFiles('/').create('/file');
  const header = newHeader('segment');
  await writeGrowingHeaders(file, header);
  return { file, header };
}

async function closedFile(): Promise<{ file: OpenFile; header: FileHeader }> {
  const file = await new SimulatedFiles('/').create('/file');
  const header = newHeader('large');
  const bytes = encodeFileHeader(header);
  for (const offset of [0, fileHeaderBytes + 1000]) await file.write(bytes, offset);
  return { file, header };
}

function newHeader(kind: 'segment' | 'large'): FileHeader {
  const identity = {
    kind,
    storeId: '000102030405060708090a0b0c0d0e0f',
    fileId: 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    number: 7,
    createdAtMs: 0,
  };
  const { wrappedKey } = newDataKey(identity, means);
  return { ...identity, wrappedKey, contentBytes: 0, descriptionBytes: 0 };
}
