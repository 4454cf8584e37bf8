import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import {
  accountId,
  blobId,
  region,
  sampleArchive,
  sampleBlobs,
  sampleCharge,
  sampleInventoryJob,
  sampleLock,
  sampleRetrieval,
  sampleUnit,
  sampleVault,
} from '../metadata-specimen.ts';
import type { WritableRows } from '../metadata-store.ts';
import { abortedAt, samplePart, sampleUpload } from '../metadata-upload-specimen.ts';
import { decodePayload } from './payload.ts';
import { type ChangeName, changes, type TableName } from './recording.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

/** For each method that changes rows, arguments for it. */
type Samples = {
  readonly [T in TableName]: {
    readonly [M in ChangeName<T>]: WritableRows[T][M] extends (...values: infer P) => unknown
      ? P
      : never;
  };
};

/** In an order in which each can follow on those before, and on what `insertOthers` leaves, and changes something. */
const samples: Samples = {
  accounts: {
    insert: [{ accountId, name: 'a “name”', createdAtMs: 1 }],
    insertAccessKey: [
      {
        accessKeyId: 'key',
        secretAccessKey: 'secret',
        accountId,
        isActive: true,
        createdAtMs: 2,
      },
    ],
    removeAccessKey: ['key'],
  },
  facts: { set: ['name', 'a value\nof two lines'] },
  archives: {
    insert: [
      sampleArchive('archive', { description: '\u0000 \u2028 \u{1f9ca}' }),
      sampleBlobs('a'),
    ],
    insertUploaded: [sampleArchive('uploaded', { sizeBytes: 0 }), 'discarded', blobId('label')],
    markRemoved: ['archive', 2],
    forget: ['archive'],
  },
  uploads: {
    insert: [sampleUpload('upload', { description: '\u0000 \u2028 \u{1f9ca}' })],
    touch: ['upload', 2_000],
    putPart: ['upload', samplePart('upload', 3), 2_100],
    removeParts: ['upload', [3, 4]],
    update: [sampleUpload('upload', { activeAtMs: 2_200 })],
    abandon: ['vault', 2_300, 9],
    remove: ['discarded'],
  },
  vaults: {
    insert: [sampleVault('vault', { lastInventory: inventory() })],
    recordChange: ['vault', { archives: 1, sizeBytes: 30, atMs: 5 }],
    setLastInventory: ['vault', inventory()],
    clearLastInventories: [],
    remove: ['another'],
  },
  vaultSettings: {
    putTags: ['vault', [{ key: 'ключ', value: '' }]],
    removeTags: ['vault', ['ключ', 'absent']],
    setNotifications: ['vault', { snsTopic: 'topic', events: ['ArchiveRetrievalCompleted'] }],
    setAccessPolicy: ['vault', '{"a":"“\u{1f9ca}”\n\\"}'],
    setLock: ['vault', sampleLock()],
  },
  jobs: {
    insert: [sampleRetrieval('job')],
    update: [sampleInventoryJob('job', { output: { blobId: blobId('output'), sizeBytes: 5 } })],
    lease: [{ action: 'InventoryRetrieval', nowMs: 5_000, untilMs: 6_000, limit: 3 }],
    extendLease: ['job', 7_000],
    releaseLeases: [],
    remove: ['job'],
  },
  retrievals: {
    setPolicy: [
      { accountId, region },
      { strategy: 'BytesPerHour', bytesPerHour: '9223372036854775807' },
    ],
    insertCharge: [sampleCharge('job')],
    forgetCharges: [{ begunBeforeMs: 3_001, begunAfterMs: 9_000, nowMs: 6_000, limit: 3 }],
  },
  capacity: { insert: [sampleUnit('unit')], forgetExpired: [7_000] },
  blobs: { repoint: [blobId('a.1'), blobId('moved')] },
  verifications: { note: [[1, 2], { verifiedAtMs: 8_000, damage: 'frame 3 is damaged' }] },
};

test('every change of rows is journalled, and its arguments outlive JSON as they are', async () => {
  const journal = new MemoryJournal();
  await using store = await SqliteMetadataStore.open({
    path: ':memory:',
    clock: new SimulatedClock(),
    log: silentLog,
    journal,
  });
  await store.write((rows) => insertOthers(rows));
  const before = journal.lastSequence;
  const expected: unknown[] = [];
  for (const [table, methods] of Object.entries(samples)) {
    for (const [name, parameters] of Object.entries<readonly unknown[]>(methods)) {
      assert.deepEqual(JSON.parse(JSON.stringify(parameters)), parameters, `${table}.${name}`);
      expected.push([table, name, ...parameters]);
      await store.write((rows) => call(rows, table, name, parameters));
    }
  }
  const journalled = journal.batches
    .filter(({ sequence }) => sequence > before)

    .flatMap(({ payload }) => decodePayload(payload).transactions)
    .flat();
  assert.deepEqual(journalled, expected);
  const names = Object.entries(changes).flatMap(([table, methods]) =>
    Object.keys(methods).map((name) => `${table}.${name}`),
  );
  assert.deepEqual(
    expected.map((entry) => (entry as string[]).slice(0, 2).join('.')).sort(),
    names.sort(),
  );
});

test('a change that finds nothing to change is not journalled', async () => {
  const journal = new MemoryJournal();
  const parts = { clock: new SimulatedClock(), log: silentLog, journal };
  await using store = await SqliteMetadataStore.open({ path: ':memory:', ...parts });
  const claim = { action: 'ArchiveRetrieval', nowMs: 5_000, untilMs: 6_000, limit: 3 } as const;
  const lease = () => store.write(({ jobs }) => jobs.lease(claim));
  assert.deepEqual(await lease(), []);
  await store.write(async ({ vaultSettings, retrievals, capacity }) => {
    await vaultSettings.putTags('absent', []);
    await vaultSettings.removeTags('absent', ['key']);
    await vaultSettings.setNotifications('absent', null);
    await vaultSettings.setAccessPolicy('absent', null);
    await vaultSettings.setLock('absent', null);
    const times = { begunBeforeMs: 9_000, begunAfterMs: 1, nowMs: 9_000 };
    await retrievals.forgetCharges({ ...times, limit: 3 });
    await capacity.forgetExpired(9_000);
  });
  await store.write(async ({ archives, uploads, jobs, blobs }) => {
    await jobs.releaseLeases();
    await jobs.extendLease('absent', 7_000);
    await archives.forget('absent');
    await uploads.touch('absent', 7_000);
    await uploads.removeParts('absent', [0]);
    await uploads.abandon('absent', 7_000, 9);
    await uploads.remove('absent');
    await blobs.repoint(blobId('absent'), blobId('other'));
  });
  assert.equal(journal.lastSequence, 0);
  await store.write(async ({ vaults, jobs }) => {
    await vaults.insert(sampleVault('vault'));
    await jobs.insert(sampleRetrieval('job'));
  });
  assert.equal((await lease()).length, 1);
  assert.equal(journal.lastSequence, 2);
});

test('what reads only is not journalled, nor what was taken back', async () => {
  const journal = new MemoryJournal();
  await using store = await SqliteMetadataStore.open({
    path: ':memory:',
    clock: new SimulatedClock(),
    log: silentLog,
    journal,
  });
  await store.write(({ facts }) => facts.get('name'));
  const failing = store.write(async ({ facts }) => {
    await facts.set('name', 'value');
    throw new Error('second thoughts');
  });
  await assert.rejects(failing, /second thoughts/);
  assert.equal(journal.lastSequence, 0);
  await store.write(async ({ accounts, facts }) => {
    const account = { accountId, name: 'one', createdAtMs: 1 };
    await accounts.insert(account);
    await assert.rejects(accounts.insert(account), { code: 'Conflict' });
    await facts.set('name', 'value');
  });
  const [batch] = journal.batches;
  assert.ok(batch !== undefined);
  const calls = decodePayload(batch.payload).transactions.flat();
  assert.deepEqual(
    calls.map(([table]) => table),
    ['accounts', 'facts'],
  );
});

/** What some of the samples change. */
async function insertOthers({ vaults, archives, uploads }: WritableRows): Promise<void> {
  await vaults.insert(sampleVault('another'));
  await archives.insert(sampleArchive('other'), sampleBlobs('a'));
  const aborted = abortedAt(sampleUpload('discarded'), 5);
  await uploads.insert({ ...aborted, isDiscarded: true });
}

function call(rows: WritableRows, table: string, name: string, parameters: readonly unknown[]) {
  const methods = rows[table as TableName] as unknown as Readonly<
    Record<string, (...values: readonly unknown[]) => Promise<unknown>>
  >;
  const method = methods[name];
  assert.ok(method !== undefined);
  return method(...parameters);
}

function inventory() {
  return { takenAtMs: 3, asOfChange: 4, archiveCount: 5, sizeBytes: 6 };
}
