import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isStoreError } from '../errors.ts';
import { FaultyFiles, type FileDeed, fileError } from './faulty-files.ts';
import type { Files } from './files.ts';
import { nodeFiles } from './node-files.ts';
import { probeFileSystem } from './probe-file-system.ts';
import { SimulatedFiles } from './simulated-files.ts';

const directory = '/store';

describe('probeFileSystem', () => {
  test('finds nothing wrong with this file system, and leaves nothing on it', async () => {
    const real = await mkdtemp(join(tmpdir(), 'firn-probe-'));
    try {
      await probeFileSystem({ directory: real, files: nodeFiles });
      assert.deepEqual(await readdir(real), []);
    } finally {
      await rm(real, { recursive: true });
    }
  });

  const failures: [FileDeed, string, RegExp][] = [
    ['create', 'EROFS', /not possible to create files there: .* mounted read-only.*\(EROFS\)/],
    ['create', 'EACCES', /create files there: the account that runs the server has no permission/],
    ['write', 'EIO', /possible to write there: the disk reports an error \(EIO\)/],
    ['sync', 'EINVAL', /sync files there: the file system does not know how.*\(EINVAL\)/],
    ['sync', 'EIO', /sync files there: the disk reports an error/],
    ['read', 'EIO', /read back what was written there: the disk reports an error/],
    ['rename', 'EPERM', /rename files there: /],
    ['syncDirectory', 'ENOSYS', /sync directories there: the file system does not know how/],
    ['syncDirectory', 'EOPNOTSUPP', /sync directories there: the file system does not know how/],
    ['create', 'ESOMETHING', /create files there: ESOMETHING: injected/],
  ];
  for (const [failing, code, message] of failures) {
    test(`says in plain words that ${failing} fails with ${code}`, async () => {
      const files = await newFiles();
      const faulty = new FaultyFiles(files, (deed) => {
        if (deed === failing) throw fileError(code, deed);
      });
      await assertRefused(faulty, message);
      assert.deepEqual([...files.sizes().keys()], []);
      assert.equal(faulty.openCount, 0);
    });
  }

  test('says that files cannot be deleted', async () => {
    const faulty = new FaultyFiles(await newFiles(), (deed) => {
      if (deed === 'unlink') throw fileError('EPERM', deed);
    });
    await assertRefused(faulty, /not possible to delete files there/);
  });

  test('says that other bytes come back than were written', async () => {
    const files = await newFiles();
    const create = files.create.bind(files);
    files.create = async (path) => {
      const file = await create(path);
      const write = file.write.bind(file);
      file.write = (bytes, offset) =>
        write(
          bytes.map((byte) => byte ^ 1),
          offset,
        );
      return file;
    };
    await assertRefused(files, /other bytes came back than were written/);
  });

  test('says that the directory is not there', async () => {
    await assertRefused(new SimulatedFiles(), /the directory is not there/);
  });

  test('a full disk is no reason to refuse', async () => {
    for (const code of ['ENOSPC', 'EDQUOT']) {
      for (const failing of ['unlink', 'create', 'write', 'sync', 'rename']) {
        const files = await newFiles();
        const faulty = new FaultyFiles(files, (deed) => {
          if (deed === failing) throw fileError(code, deed);
        });
        await probeFileSystem({ directory, files: faulty });
        assert.deepEqual([...files.sizes().keys()], []);
      }
    }
  });

  test('takes away what a crash left of an earlier probe', async () => {
    for (let cutAt = 0, isDone = false; !isDone; cutAt++) {
      for (const survives of [true, false]) {
        const files = await newFiles();
        let deeds = 0;
        const faulty = new FaultyFiles(files, (deed) => {
          if (deeds++ >= cutAt) throw fileError('EIO', deed);
        });
        isDone = await probeFileSystem({ directory, files: faulty }).then(
          () => true,
          () => false,
        );
        files.crash(() => survives);
        await probeFileSystem({ directory, files });
        assert.deepEqual([...files.sizes().keys()], []);
      }
    }
  });
});

async function newFiles(): Promise<SimulatedFiles> {
  const files = new SimulatedFiles();
  await files.makeDirectory(directory);
  await files.syncDirectory('/');
  return files;
}

async function assertRefused(files: Files, message: RegExp): Promise<void> {
  await assert.rejects(probeFileSystem({ directory, files }), (error) => {
    assert.ok(isStoreError(error, 'StoreUnavailable'), String(error));
    assert.match(error.message, message);
    return true;
  });
}
