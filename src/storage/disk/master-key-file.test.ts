import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RecordedLog } from '../../../tests/support/recorded-log.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { isStoreError } from '../errors.ts';
import { FaultyFiles, fileError } from './faulty-files.ts';
import {
  formatMasterKeyFile,
  loadMasterKeys,
  type MasterKeyOptions,
  type Permissions,
  parseMasterKeyFile,
} from './master-key-file.ts';
import { masterKeyId } from './master-keys.ts';
import { nodeFiles } from './node-files.ts';
import { SimulatedFiles } from './simulated-files.ts';

const key = new Uint8Array(32).fill(1);
const olderKey = new Uint8Array(32).fill(2);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
/** One of the two copies of which a file consists. */
const copyOf = (keys: readonly Uint8Array[]) => {
  const content = formatMasterKeyFile(keys);
  return content.slice(0, content.length / 2);
};

describe('loadMasterKeys', () => {
  test('makes a file for a new store, that the owner alone may read', async () => {
    await using place = await temporary();
    const { options, log, path } = place;
    const keys = await loadMasterKeys(options);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const content = await readFile(path, 'latin1');
    const pattern =
      /^firn-master-key 1\n([0-9a-f]{16}) [0-9a-f]{64}\n# .*all data is lost.*\n(?=firn)/;
    assert.equal(pattern.exec(content)?.[1], keys.currentId);
    assert.deepEqual(log.names('info'), ['master-key.created']);
    const again = await loadMasterKeys({ ...options, mayCreate: false });
    assert.deepEqual(again.ids, keys.ids);
    assert.deepEqual(log.names('warn'), []);
    assert.deepEqual(await readdir(place.directory), ['master.key']);
  });

  test('refuses a missing file when there is data, and says what to restore', async () => {
    for (const isGenerated of [true, false]) {
      await using place = await temporary();
      const options = { ...place.options, mayCreate: false, isGenerated };
      await assertRefused(options, /master\.key.* Restore it from its backup.*/);
      await assertRefused(options, /FIRN_MASTER_KEY_FILE/);
      assert.deepEqual(await readdir(place.directory), []);
    }
  });

  test('makes a file where a setting names one, when nothing is stored yet', async () => {
    await using place = await temporary();
    await loadMasterKeys({ ...place.options, isGenerated: false });
    assert.deepEqual(await readdir(place.directory), ['master.key']);
  });

  test('reads the keys in their order, the current one first', async () => {
    await using place = await temporary();
    await writeFile(place.path, formatMasterKeyFile([key, olderKey]), { mode: 0o600 });
    const { ids } = await loadMasterKeys(place.options);
    assert.deepEqual(ids, [masterKeyId(key), masterKeyId(olderKey)]);
  });

  test('reads a file that holds nothing but keys', async () => {
    await using place = await temporary();
    const content = `${hex(key).toUpperCase()}\r\n\n# the old one\n${hex(olderKey)}`;
    await writeFile(place.path, content, { mode: 0o600 });
    const { ids } = await loadMasterKeys(place.options);
    assert.deepEqual(ids, [masterKeyId(key), masterKeyId(olderKey)]);
  });

  test('refuses a file that is damaged, without a word of what is in it', async () => {
    const good = copyOf([key]);
    const wrong = [
      ...['', '\n', 'firn-master-key 1\n', '# a comment\n', 'hello\n', hex(key).slice(1)],
      ...[good.replace(' 1\n', ' 2\n'), good.replace(/01\n/, '02\n'), good.replace(/01\n/, '0\n')],
      ...[good.replace(/^.*\n/, ''), good.slice(0, 50), `${good}${hex(olderKey)}\n`],
      key.reduce((text, byte) => text + String.fromCharCode(byte), ''),
    ];
    for (const content of wrong) {
      await using place = await temporary();
      await writeFile(place.path, content, { mode: 0o600 });
      const error = await assertRefused(place.options, /is damaged.*Restore it from its backup/);
      assert.ok(!error.message.includes('0101'));
      assert.equal(await readFile(place.path, 'latin1'), content);
    }
  });

  test('whichever byte of it is changed, the keys are the same', () => {
    const content = formatMasterKeyFile([key, olderKey]);
    for (let at = 0; at < content.length; at++) {
      const changed = `${content.slice(0, at)}e${content.slice(at + 1)}`;
      const parsed = parseMasterKeyFile(changed);
      assert.ok(typeof parsed !== 'string' && parsed.isOurs, `${at}`);
      assert.deepEqual(parsed.keys.map(masterKeyId), [key, olderKey].map(masterKeyId), `${at}`);
    }
  });

  test('each byte of a key is vouched for by its id', () => {
    const content = copyOf([key]);
    const start = content.indexOf('\n') + 1;
    for (let at = 0; at < start + 16 + 1 + 64; at++) {
      const changed = `${content.slice(0, at)}e${content.slice(at + 1)}`;
      assert.ok(changed === content || typeof parseMasterKeyFile(changed) === 'string', `${at}`);
    }
  });

  test('refuses what cannot be read, and says who must be able to', async () => {
    await using place = await temporary();
    await assertRefused({ ...place.options, path: place.directory }, /cannot be read: .*EISDIR/);
    const files = new FaultyFiles(new SimulatedFiles(), (deed) => {
      if (deed === 'open') throw fileError('EACCES', deed);
    });
    await assertRefused({ ...place.options, files }, /EACCES.* account that runs the server/);
  });

  test('refuses a place where none can be made', async () => {
    await using place = await temporary();
    const path = join(place.directory, 'missing', 'master.key');
    await assertRefused({ ...place.options, path }, /cannot be written: .*ENOENT/);
  });

  test('repairs a file of which one copy is damaged, unless it may not write it', async () => {
    for (const at of [20, copyOf([key]).length + 20]) {
      await using place = await temporary();
      const content = formatMasterKeyFile([key]);
      const damaged = `${content.slice(0, at)}?${content.slice(at + 1)}`;
      await writeFile(place.path, damaged, { mode: 0o600 });
      const reader = { ...place.options, isReadOnly: true };
      assert.equal((await loadMasterKeys(reader)).currentId, masterKeyId(key));
      const files = new FaultyFiles(nodeFiles, (deed) => {
        if (deed === 'create') throw fileError('EROFS', deed);
      });
      const shut = { ...place.options, files };
      assert.equal((await loadMasterKeys(shut)).currentId, masterKeyId(key));
      assert.equal(await readFile(place.path, 'latin1'), damaged);
      assert.equal((await loadMasterKeys(place.options)).currentId, masterKeyId(key));
      assert.equal(await readFile(place.path, 'latin1'), content);
      await loadMasterKeys(place.options);
      const events = ['master-key.damaged', 'master-key.damaged', 'master-key.repaired'];
      assert.deepEqual(place.log.names('warn'), events);
    }
  });

  test('warns of a file that others may read', async () => {
    for (const mode of [0o640, 0o604]) {
      await using place = await temporary();
      await loadMasterKeys(place.options);
      await chmod(place.path, mode);
      await loadMasterKeys(place.options);
      assert.deepEqual(place.log.names('warn'), ['master-key.exposed']);
    }
  });

  test('a key that was found after the death of a process outlives a power cut', async () => {
    for (let cutAt = 0, isDone = false; !isDone; cutAt++) {
      const files = new SimulatedFiles();
      let deeds = 0;
      const faulty = new FaultyFiles(files, (deed) => {
        if (deeds++ >= cutAt) throw fileError('EIO', deed);
      });
      const options = simulatedOptions(files);
      const first = loadMasterKeys({ ...options, files: faulty });
      isDone = await first.then(
        () => true,
        () => false,
      );
      const { ids } = await loadMasterKeys(options);
      files.crash();
      assert.deepEqual((await loadMasterKeys({ ...options, mayCreate: false })).ids, ids);
    }
  });

  test('a file on a file system that cannot sync is read, when others put it there', async () => {
    const files = new SimulatedFiles();
    const options = simulatedOptions(files);
    const { ids } = await loadMasterKeys(options);
    for (const [code, isRead] of [
      ['EROFS', true],
      ['EINVAL', true],
      ['EIO', false],
    ] as const) {
      const faulty = new FaultyFiles(files, (deed) => {
        if (deed === 'syncDirectory') throw fileError(code, deed);
      });
      const again = loadMasterKeys({ ...options, files: faulty });
      if (isRead) assert.deepEqual((await again).ids, ids);
      else await assert.rejects(again, /cannot be made durable/);
    }
  });

  test('a crash at any deed leaves no key that was handed out and is not there', async () => {
    for (let cutAt = 0, isDone = false; !isDone; cutAt++) {
      for (const survives of [true, false]) {
        const files = new SimulatedFiles();
        let deeds = 0;
        const faulty = new FaultyFiles(files, (deed) => {
          if (deeds++ === cutAt) throw fileError('EIO', deed);
        });
        const options = simulatedOptions(files);
        const made = await loadMasterKeys({ ...options, files: faulty }).catch(() => undefined);
        files.crash(() => survives);
        const keys = await loadMasterKeys(options);
        if (made !== undefined) assert.deepEqual(keys.ids, made.ids);
        isDone = made !== undefined;
      }
    }
  });
});

const noPermissions: Permissions = { restrict: async () => {}, isExposed: async () => false };

function simulatedOptions(files: SimulatedFiles): MasterKeyOptions {
  return {
    path: '/master.key',
    files,
    permissions: noPermissions,
    isGenerated: true,
    mayCreate: true,
    randomBytes: systemRandomBytes,
    log: new RecordedLog(),
  };
}

async function temporary() {
  const directory = await mkdtemp(join(tmpdir(), 'firn-master-key-'));
  const path = join(directory, 'master.key');
  const log = new RecordedLog();
  const options: MasterKeyOptions = {
    path,
    isGenerated: true,
    mayCreate: true,
    randomBytes: systemRandomBytes,
    log,
  };
  const dispose = () => rm(directory, { recursive: true });
  return { directory, path, log, options, [Symbol.asyncDispose]: dispose };
}

async function assertRefused(options: MasterKeyOptions, message: RegExp): Promise<Error> {
  const error = await loadMasterKeys(options).then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown,
  );
  assert.ok(isStoreError(error, 'StoreUnavailable'), `${error}`);
  assert.match(error.message, message);
  return error;
}
