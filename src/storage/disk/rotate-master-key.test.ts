import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RecordedLog } from '../../../tests/support/recorded-log.ts';
import { seededRandomBytes } from '../../../tests/support/seeded-random.ts';
import { SimulatedClock } from '../../lib/clock.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { sampleBytes } from '../blob-specimen.ts';
import { isStoreError } from '../errors.ts';
import { DiskJournal } from './disk-journal.ts';
import { FaultyFiles, fileError } from './faulty-files.ts';
import {
  encodeFileHeader,
  type FileHeader,
  type FileKind,
  fileHeaderBytes,
  newDataKey,
  openDataKey,
} from './file-header.ts';
import { type Files, Layout } from './files.ts';
import { growingContentOffset, readClosedHeader, readGrowingHeader } from './header-copies.ts';
import {
  loadMasterKeys,
  type Permissions,
  readMasterKeyFile,
  writeMasterKeyFile,
} from './master-key-file.ts';
import { MasterKeys, masterKeyId } from './master-keys.ts';
import { type RotationOptions, rotateMasterKey } from './rotate-master-key.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { WriteGate } from './write-gate.ts';

const layout = new Layout('/store');
const path = '/master.key';
const permissions: Permissions = { restrict: async () => {}, isExposed: async () => false };
const oldKey = new Uint8Array(32).fill(1);
const storeId = '0123456789abcdef0123456789abcdef';

describe('rotateMasterKey', () => {
  test('wraps the key of every file anew, and rewrites nothing else', async () => {
    const { store, options } = await newStore();
    const progress: number[] = [];
    const report = await rotateMasterKey({
      ...options,
      onProgress: ({ rewrapped }) => progress.push(rewrapped),
    });
    const { keyId, rewrapped, skipped, failed, removedKeyIds, keptKeyIds } = report;
    assert.deepEqual({ rewrapped, skipped, failed }, { rewrapped: 5, skipped: 0, failed: [] });
    assert.deepEqual([removedKeyIds, keptKeyIds], [[masterKeyId(oldKey)], []]);
    assert.deepEqual(progress, [1, 2, 3, 4, 5]);
    const ids = (await keysIn(store.files)).map(masterKeyId);
    assert.deepEqual(ids, [keyId]);
    assert.notEqual(keyId, masterKeyId(oldKey));
    await store.assertOpens({ isWhole: true });
    assert.deepEqual(options.log.names('info'), ['master-key.rotated']);
  });

  test('a second rotation gives another key', async () => {
    const { store, options } = await newStore();
    const first = await rotateMasterKey(options);
    const second = await rotateMasterKey(options);
    assert.deepEqual(second.removedKeyIds, [first.keyId]);
    await store.assertOpens({ isWhole: true });
  });

  test('a journal is read and goes on under the new key', async () => {
    const { store, options } = await newStore([]);
    await store.files.makeDirectory(layout.journal);
    const open = async () =>
      DiskJournal.open({
        ...options,
        storeId,
        masterKeys: new MasterKeys((await readMasterKeyFile(options))?.keys ?? assert.fail()),
        gate: new WriteGate(options.log),
        clock: new SimulatedClock(),
      });
    for (const sequence of [1, 2, 3]) {
      await using journal = await open();
      await journal.append({ sequence, payload: sampleBytes(100, sequence) });
      await journal[Symbol.asyncDispose]();
      await rotateMasterKey(options);
    }
    const journal = await open();
    const parts = await Array.fromAsync(journal.read(0));
    const expected = [1, 2, 3].map((sequence) => sampleBytes(100, sequence));
    assert.deepEqual(
      parts.map((part) => 'payload' in part && Uint8Array.from(part.payload)),
      expected,
    );
  });

  test('a store without any file gets a new key', async () => {
    const files = new SimulatedFiles();
    await writeMasterKeyFile({ path, files, permissions }, [oldKey]);
    const report = await rotateMasterKey(optionsFor(files));
    assert.equal(report.rewrapped, 0);
    assert.deepEqual((await keysIn(files)).map(masterKeyId), [report.keyId]);
  });

  test('after a crash at any deed everything opens, and the next call ends it', async () => {
    for (let cutAt = 0, isDone = false; !isDone; cutAt++) {
      for (const survival of ['none', 'all', 'some']) {
        const { store, options } = await newStore(twoKinds);
        let deeds = 0;
        const faulty = new FaultyFiles(store.files, (deed) => {
          // From then on nothing happens any more.
          if (deeds++ >= cutAt) throw fileError('EIO', deed);
        });
        const ended = await rotateMasterKey({ ...options, files: faulty }).catch(() => undefined);
        isDone = deeds <= cutAt;
        const draw = seededRandomBytes(`${cutAt}`);
        const drawn = () => (draw(1)[0] ?? 0) < 128;
        store.files.crash(() => (survival === 'some' ? drawn() : survival === 'all'));
        await store.assertOpens({ isWhole: false });
        const keysBefore = await keysIn(store.files);
        const report = await rotateMasterKey(options);
        assert.equal(report.failedCount, 0);
        // The key that was made for it is used.
        if (keysBefore.length > 1) {
          assert.equal(report.keyId, masterKeyId(keysBefore[0] ?? oldKey));
        }
        assert.deepEqual((await keysIn(store.files)).map(masterKeyId), [report.keyId]);
        await store.assertOpens({ isWhole: true });
        assert.equal(isDone, ended?.failedCount === 0);
      }
    }
  });

  test('what the next call finds done after the death of the process outlives a power cut', async () => {
    for (let cutAt = 0, isDone = false; !isDone; cutAt++) {
      const { store, options } = await newStore(twoKinds);
      let deeds = 0;
      const faulty = new FaultyFiles(store.files, (deed) => {
        if (deeds++ >= cutAt) throw fileError('EIO', deed);
      });
      await rotateMasterKey({ ...options, files: faulty }).catch(() => undefined);
      isDone = deeds <= cutAt;
      await rotateMasterKey(options);
      store.files.crash();
      await store.assertOpens({ isWhole: true });
    }
  });

  test('a key that was found after the death of a process outlives a power cut', async () => {
    const { store, options } = await newStore(twoKinds);
    let isDead = false;
    const first = new FaultyFiles(store.files, (deed, where) => {
      isDead ||= deed === 'syncDirectory' && where === '/';
      if (isDead) throw fileError('EIO', deed);
    });
    await assert.rejects(rotateMasterKey({ ...options, files: first }));
    let hasHeader = false;
    const second = new FaultyFiles(store.files, (deed, where) => {
      hasHeader ||= deed === 'write' && where.startsWith(layout.segments);
      if (hasHeader && where.startsWith(path)) throw fileError('EIO', deed);
    });
    await assert.rejects(rotateMasterKey({ ...options, files: second }));
    store.files.crash();
    await store.assertOpens({ isWhole: true });
  });

  test('no crash finds both headers of a file torn, whatever was damaged before', async () => {
    for (const damagedCopy of [0, 1] as const) {
      for (let cutAt = 0, isDone = false; !isDone; cutAt++) {
        const { store, options } = await newStore(twoKinds);
        for (const { where } of store.made) await store.damage(where, damagedCopy);
        let deeds = 0;
        const faulty = new FaultyFiles(store.files, (deed) => {
          if (deeds++ >= cutAt) throw fileError('EIO', deed);
        });
        await rotateMasterKey({ ...options, files: faulty }).catch(() => undefined);
        isDone = deeds <= cutAt;
        store.files.crash(() => true);
        await store.assertOpens({ isWhole: isDone });
      }
    }
  });

  test('a file that cannot be rewritten is reported, and its key stays', async () => {
    const { store, options } = await newStore();
    const [victim] = store.made;
    assert.ok(victim);
    const faulty = new FaultyFiles(store.files, (deed, where) => {
      if (deed === 'write' && where === victim.where) throw fileError('EIO', deed);
    });
    const report = await rotateMasterKey({ ...options, files: faulty });
    assert.equal(report.rewrapped, 4);
    assert.deepEqual(
      report.failed.map((one) => one.path),
      [victim.where],
    );
    assert.match(report.failed[0]?.reason ?? '', /EIO/);
    assert.deepEqual(report.keptKeyIds, [masterKeyId(oldKey)]);
    assert.deepEqual(options.log.names('warn'), ['master-key.rotation-incomplete']);
    await store.assertOpens({ isWhole: false });
    const { keyId, rewrapped, skipped, removedKeyIds } = await rotateMasterKey(options);
    assert.deepEqual([keyId, rewrapped, skipped], [report.keyId, 1, 4]);
    assert.deepEqual(removedKeyIds, [masterKeyId(oldKey)]);
    await store.assertOpens({ isWhole: true });
  });

  test('a file whose headers are lost for good does not stand in the way of another key', async () => {
    const { store, options } = await newStore();
    const [victim] = store.made;
    assert.ok(victim);
    await store.damage(victim.where, 0);
    await store.damage(victim.where, 1);
    const first = await rotateMasterKey(options);
    assert.equal(first.failedCount, 1);
    const second = await rotateMasterKey(options);
    assert.notEqual(second.keyId, first.keyId);
    assert.deepEqual(second.keptKeyIds, [first.keyId, masterKeyId(oldKey)]);
    assert.equal(second.rewrapped, 4);
  });

  test('what is left of a blob that was cut off is not overwritten', async () => {
    const { store, options } = await newStore();
    const large = store.made.find(({ kind }) => kind === 'large');
    assert.ok(large);
    const file = await store.files.open(large.where);
    await file.truncate((await file.size()) - 5000);
    const before = new Uint8Array(await file.size());
    await file.read(before, 0);
    const report = await rotateMasterKey(options);
    assert.match(report.failed[0]?.reason ?? '', /not where it should be/);
    const after = new Uint8Array(before.length);
    await file.read(after, 0);
    assert.deepEqual(after, before);
  });

  test('a file that a crash left without header and content is passed over', async () => {
    const { store, options } = await newStore();
    await (await store.files.create(layout.segment(9))).write(sampleBytes(4000), 0);
    const report = await rotateMasterKey(options);
    assert.deepEqual([report.rewrapped, report.skipped, report.failedCount], [5, 1, 0]);
  });

  test('the master key of another store is refused, and nothing changes', async () => {
    const { store, options } = await newStore();
    const other = new Uint8Array(32).fill(9);
    await writeMasterKeyFile({ path, files: store.files, permissions }, [other]);
    const isRefusal = (error: unknown) => {
      assert.ok(isStoreError(error, 'StoreUnavailable'));
      assert.match(error.message, /Restore the master key file/);
      return true;
    };
    await assert.rejects(rotateMasterKey(options), isRefusal);
    assert.deepEqual(await keysIn(store.files), [other]);
  });

  test('a missing master key file is refused', async () => {
    const { store, options } = await newStore();
    await store.files.unlink(path);
    await assert.rejects(rotateMasterKey(options), /is missing/);
  });

  test('a file of keys that is not ours is left as it is', async () => {
    const { store, options } = await newStore();
    const newKey = new Uint8Array(32).fill(3);
    const hex = (key: Uint8Array) => `${Buffer.from(key).toString('hex')}\n`;
    await store.put(path, hex(oldKey));
    await assert.rejects(rotateMasterKey(options), /line with the new key above/);
    await store.put(path, hex(newKey) + hex(oldKey));
    const report = await rotateMasterKey(options);
    assert.deepEqual([report.rewrapped, report.failedCount], [5, 0]);
    assert.deepEqual([report.removedKeyIds, report.keptKeyIds], [[], [masterKeyId(oldKey)]]);
    await store.put(path, hex(newKey));
    await store.assertOpens({ isWhole: true });
  });
});

function optionsFor(files: Files): RotationOptions & { readonly log: RecordedLog } {
  const log = new RecordedLog();
  return { layout, files, path, permissions, randomBytes: systemRandomBytes, log };
}

async function keysIn(files: Files): Promise<readonly Uint8Array[]> {
  return (await readMasterKeyFile({ path, files }))?.keys ?? [];
}

type Kinds = readonly FileKind[];
const allKinds: Kinds = ['segment', 'segment', 'large', 'journal', 'snapshot'];
/** Those whose second headers lie in different places; fewer deeds to crash at. */
const twoKinds: Kinds = ['segment', 'large'];

async function newStore(kinds = allKinds) {
  const store = new Store();
  await writeMasterKeyFile({ path, files: store.files, permissions }, [oldKey]);
  for (const directory of [layout.root, layout.version, layout.incoming]) {
    await store.files.makeDirectory(directory);
  }
  for (const [index, kind] of kinds.entries()) {
    const places = {
      segment: layout.segment(index + 1),
      large: join(layout.large, 'l.1'),
      journal: layout.journalFile(1),
      snapshot: join(layout.snapshots, '1'),
    };
    await store.make(kind, places[kind]);
  }
  for (const directory of ['/', layout.root, layout.version]) {
    await store.files.syncDirectory(directory);
  }
  return { store, options: optionsFor(store.files) };
}

/** Files of each kind as a store has them, as far as a rotation is concerned. */
class Store {
  readonly files = new SimulatedFiles();
  readonly made: { kind: FileKind; where: string; key: Uint8Array; content: Uint8Array }[] = [];

  async make(kind: FileKind, where: string): Promise<void> {
    const directory = join(where, '..');
    const seed = this.made.length + 1;
    const identity = {
      kind,
      storeId,
      fileId: Buffer.from(sampleBytes(16, seed)).toString('hex'),
      number: seed,
      createdAtMs: 1,
    };
    const masterKeys = new MasterKeys([oldKey]);
    const { key, wrappedKey } = newDataKey(identity, {
      masterKeys,
      randomBytes: systemRandomBytes,
    });
    const header: FileHeader = { ...identity, wrappedKey, contentBytes: 0, descriptionBytes: 0 };
    const content = sampleBytes(9000, seed);
    await this.files.makeDirectory(directory);
    const file = await this.files.create(where);
    await file.write(content, contentOffset(kind));
    const size = contentOffset(kind) + content.length;
    for (const offset of headerOffsets(kind, size)) {
      await file.write(encodeFileHeader(header), offset);
    }
    await file.sync();
    await this.files.syncDirectory(directory);
    this.made.push({ kind, where, key: key.bytes, content });
  }

  async put(where: string, text: string): Promise<void> {
    await this.files.unlink(where);
    await (await this.files.create(where)).write(Buffer.from(text), 0);
  }

  async damage(where: string, copy: 0 | 1): Promise<void> {
    const { kind, content } = this.made.find((one) => one.where === where) ?? assert.fail();
    const offset = headerOffsets(kind, contentOffset(kind) + content.length)[copy] ?? 0;
    const file = await this.files.open(where);
    await file.write(sampleBytes(512), offset);
    await file.sync();
  }

  /** With the keys that are in the file of keys now. `isWhole`: both copies of each header. */
  async assertOpens({ isWhole }: { isWhole: boolean }): Promise<void> {
    const { files } = this;
    const options = { path, files, permissions, isGenerated: true, mayCreate: false };
    const log = new RecordedLog();
    const masterKeys = await loadMasterKeys({ ...options, randomBytes: systemRandomBytes, log });
    for (const { kind, where, key, content } of this.made) {
      const file = await files.open(where);
      const isGrowing = kind === 'segment' || kind === 'journal';
      const { header, damages } = await (isGrowing ? readGrowingHeader : readClosedHeader)(file);
      assert.ok(header, where);
      const opened = openDataKey(header, masterKeys) ?? [];
      assert.deepEqual(Uint8Array.from(opened), key);
      if (isWhole) {
        assert.deepEqual(damages, [], where);
        assert.equal(
          Buffer.from(header.wrappedKey.masterKeyId).toString('hex'),
          masterKeys.currentId,
        );
      }
      const found = new Uint8Array(content.length);
      await file.read(found, contentOffset(kind));
      assert.deepEqual(found, content);
    }
  }
}

function contentOffset(kind: FileKind): number {
  return kind === 'segment' || kind === 'journal' ? growingContentOffset : fileHeaderBytes;
}

function headerOffsets(kind: FileKind, endBytes: number): number[] {
  const isGrowing = kind === 'segment' || kind === 'journal';
  return [0, isGrowing ? growingContentOffset - fileHeaderBytes : endBytes];
}
