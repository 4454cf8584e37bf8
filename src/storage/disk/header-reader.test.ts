import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RecordedLog } from '../../../tests/support/recorded-log.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { type FileHeader, newDataKey } from './file-header.ts';
import { writeGrowingHeaders } from './header-copies.ts';
import { HeaderReader, reportedMax } from './header-reader.ts';
import { MasterKeys } from './master-keys.ts';
import { SimulatedFiles } from './simulated-files.ts';

const storeId = '000102030405060708090a0b0c0d0e0f';
const expected = { kind: 'segment', storeId, number: 7 } as const;
const path = '/segments/0000000007';

describe('HeaderReader', () => {
  test('a header of the file that it must be is read', async () => {
    const { file, header } = await segmentFile();
    const log = new RecordedLog();
    assert.deepEqual(await new HeaderReader(log).ofGrowing(file, path, expected), header);
    assert.deepEqual(log.events, []);
  });

  test('a header of another file is none, and what it is is said', async () => {
    const { file } = await segmentFile();
    const headers = new HeaderReader(new RecordedLog());
    const read = (other: object) => headers.ofGrowing(file, path, { ...expected, ...other });
    assert.equal(await read({ number: 8 }), 'its file is another one, segment 7');
    assert.equal(await read({ kind: 'journal' }), 'its file is another one, segment 7');
    const ofStore = await read({ storeId: 'f'.repeat(32) });
    assert.equal(ofStore, `its file belongs to another store, ${storeId}`);
  });

  test('a damaged header is reported once for each file, and whether it is lost', async () => {
    const { file, header } = await segmentFile();
    await file.write(Uint8Array.of(1), 100);
    const log = new RecordedLog();
    const headers = new HeaderReader(log);
    for (const each of [path, path, '/another']) {
      assert.deepEqual(await headers.ofGrowing(file, each, expected), header);
    }
    const damages = ['a header of the file fails its checksum'];
    assert.deepEqual(log.events, [
      {
        level: 'warn',
        event: 'file.header-damaged',
        facts: { path, damages, isLost: false },
      },
      {
        level: 'warn',
        event: 'file.header-damaged',
        facts: { path: '/another', damages, isLost: false },
      },
    ]);
  });

  test('no more files are remembered than there is a limit for', async () => {
    const { file } = await segmentFile();
    await file.write(Uint8Array.of(1), 100);
    const log = new RecordedLog();
    const headers = new HeaderReader(log);
    for (let count = 0; count <= reportedMax; count++) {
      await headers.ofGrowing(file, `/${count}`, expected);
    }
    await headers.ofGrowing(file, '/0', expected);
    assert.equal(log.events.length, reportedMax + 2);
  });
});

async function segmentFile() {
  const identity = { ...expected, fileId: 'f'.repeat(32), createdAtMs: 0 };
  const masterKeys = new MasterKeys([new Uint8Array(32)]);
  const { wrappedKey } = newDataKey(identity, { masterKeys, randomBytes: systemRandomBytes });
  const header: FileHeader = { ...identity, wrappedKey, contentBytes: 0, descriptionBytes: 0 };
  const file = await new SimulatedFiles('/').create('/file');
  await writeGrowingHeaders(file, header);
  return { file, header };
}
