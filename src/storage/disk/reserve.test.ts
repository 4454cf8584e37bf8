import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RecordedLog } from '../../../tests/support/recorded-log.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { type BeforeFileDeed, FaultyFiles, fileError } from './faulty-files.ts';
import { type Files, Layout } from './files.ts';
import { nodeFiles } from './node-files.ts';
import { Reserve, reserveSizes } from './reserve.ts';
import { SimulatedFiles } from './simulated-files.ts';

const mib = 1024 * 1024;
const layout = new Layout('/store');
/** Of the simulated file system, and so of the reserve. */
const fileSystemBytes = 40 * mib;
const reserveBytes = 2.5 * mib;
const marginBytes = reserveBytes / 4;

describe('Reserve', () => {
  test('is 64 MiB, or a sixteenth of a small file system', () => {
    assert.deepEqual(reserveSizes({ sizeBytes: 1e13 }), sizesOf(64 * mib, 16 * mib));
    assert.deepEqual(reserveSizes({ sizeBytes: 160 * mib }), sizesOf(10 * mib, 2.5 * mib));
    assert.deepEqual(reserveSizes({ sizeBytes: 0 }), sizesOf(64 * mib, 16 * mib));
  });

  test('is taken when the store is opened, and is still there at the next time', async () => {
    const { files, log } = await newFiles();
    const reserve = await open(files, log);
    assert.equal(reserve.isHeld, true);
    assert.equal(files.sizes().get(layout.reserve), reserveBytes);
    assert.deepEqual(log.names('info'), ['reserve.taken']);
    const faulty = new FaultyFiles(files, (deed) => assert.notEqual(deed, 'write'));
    assert.equal((await open(faulty, log)).isHeld, true);
  });

  test('takes real room, which no file system can save', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'firn-reserve-'));
    try {
      const real = new Layout(directory);
      await mkdir(real.version);
      const options = { layout: real, reserveBytesMax: 3 * mib + 5, log: new RecordedLog() };
      const files = nodeFiles;
      const reserve = await Reserve.open({ ...options, files, randomBytes: systemRandomBytes });
      const { size, blocks } = await stat(real.reserve);
      assert.equal(size, 3 * mib + 5);
      assert.ok(blocks * 512 >= size);
      assert.equal(await reserve.release(), true);
      assert.equal((await stat(real.reserve)).blocks, 0);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('is given back once, and taken again when there is room', async () => {
    const { files, log } = await newFiles();
    const reserve = await open(files, log);
    assert.equal(reserve.missingBytes, 0);
    assert.equal(await reserve.release(), true);
    assert.equal(reserve.isHeld, false);
    assert.equal(reserve.missingBytes, reserveBytes);
    assert.equal(files.sizes().get(layout.reserve), 0);
    assert.equal(await reserve.release(), false);
    assert.equal(await reserve.restore(), true);
    assert.equal(await reserve.restore(), true);
    assert.equal(files.sizes().get(layout.reserve), reserveBytes);
    assert.deepEqual(log.names('warn'), ['reserve.released']);
  });

  test('is not taken when hardly anything would be left beside it', async () => {
    const { files, log } = await newFiles();
    const filler = await files.create('/store/v2/filler');
    await filler.truncate(fileSystemBytes - reserveBytes - marginBytes + 1);
    const reserve = await open(files, log);
    assert.equal(reserve.isHeld, false);
    await filler.truncate(fileSystemBytes - reserveBytes - marginBytes);
    assert.equal(await reserve.restore(), true);
  });

  test('one that a crash left half made is made anew', async () => {
    for (let cutAt = 0, isDone = false; !isDone; cutAt++) {
      const { files, log } = await newFiles();
      let deeds = 0;
      const faulty = new FaultyFiles(files, (deed) => {
        if (deeds++ >= cutAt) throw fileError('EIO', deed);
      });
      const first = await open(faulty, log);
      isDone = first.isHeld;
      files.crash(() => cutAt % 2 === 0);
      const reserve = await open(files, log);
      assert.equal(reserve.isHeld, true);
      assert.equal(files.sizes().get(layout.reserve), reserveBytes);
    }
  });

  test('room that runs out while it is taken goes back, and nobody is disturbed', async () => {
    const { files, log } = await newFiles();
    let writes = 0;
    const reserve = await open(
      new FaultyFiles(files, (deed) => {
        if (deed === 'write' && ++writes === 3) throw fileError('ENOSPC', deed);
      }),
      log,
    );
    assert.equal(reserve.isHeld, false);
    assert.equal(files.sizes().get(layout.reserve), 0);
    assert.deepEqual(log.names('warn'), ['reserve.failed']);
    assert.equal(await reserve.restore(), true);
  });

  test('nothing that fails about it is thrown', async () => {
    for (const failing of ['room', 'open', 'create', 'write', 'sync', 'truncate']) {
      const { files, log } = await newFiles();
      let isFailing = true;
      const before: BeforeFileDeed = (deed) => {
        if (isFailing && deed === failing) throw fileError('EIO', deed);
      };
      const reserve = await open(new FaultyFiles(files, before), log);
      assert.equal(reserve.isHeld, false, failing);
      assert.equal(await reserve.release(), false);
      isFailing = false;
      assert.equal(await reserve.restore(), true);
      isFailing = true;
      const isGivenBack = !['open', 'truncate'].includes(failing);
      assert.equal(await reserve.release(), isGivenBack, failing);
      assert.equal(reserve.isHeld, !isGivenBack, failing);
    }
  });

  test('all who ask at once get the same answer', async () => {
    const { files, log } = await newFiles();
    const reserve = await open(files, log);
    const answers = await Promise.all([
      reserve.release(),
      reserve.release(),
      reserve.restore(),
      reserve.restore(),
    ]);
    assert.deepEqual(answers, [true, true, true, true]);
    const [isHeld, isReleased] = await Promise.all([reserve.restore(), reserve.release()]);
    assert.deepEqual([isHeld, isReleased], [true, true]);
    assert.equal(files.sizes().get(layout.reserve), 0);
  });
});

function sizesOf(reserve: number, margin: number) {
  return { reserveBytes: reserve, marginBytes: margin };
}

async function newFiles() {
  const files = new SimulatedFiles();
  files.sizeBytes = fileSystemBytes;
  for (const directory of [layout.root, layout.version]) await files.makeDirectory(directory);
  for (const directory of ['/', layout.root]) await files.syncDirectory(directory);
  return { files, log: new RecordedLog() };
}

function open(files: Files, log: RecordedLog): Promise<Reserve> {
  return Reserve.open({ files, layout, log, randomBytes: systemRandomBytes });
}
