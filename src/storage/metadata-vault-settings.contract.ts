import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type MetadataCase, sampleLock, sampleVault, withVault } from './metadata-specimen.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { NotificationsRow, TagRow, VaultLockRow } from './rows.ts';

/** As long as a policy may be in bytes. */
const policySizeBytesMax = 20_480;

/** Any text but NUL, of which no text that comes in has one. */
const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'));

/** Text as hard to keep as text may be: quotes, line ends, and characters of every length. */
const hardText = '"\'`\\ \t\r\n{}$1%s?;-- é \u{2028}\u{feff}\u{ffff}\u{1f9ca}';

/** Tags, notifications, policies and locks of vaults. */
export const vaultSettingsCases: readonly MetadataCase[] = [
  {
    title: 'a vault has nothing set on it until something is set',
    run: async (specimen) => {
      await withVault(specimen);
      for (const vaultId of ['vault', 'absent']) {
        assert.deepEqual(await settingsOf(specimen.store, vaultId), nothing);
      }
    },
  },
  {
    title: 'tags are added, get new values, and are removed by their keys',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const put = (...tags: readonly TagRow[]) =>
        store.write(({ vaultSettings }) => vaultSettings.putTags('vault', tags));
      await put({ key: 'b', value: 'first' }, { key: 'a', value: '' });
      await put({ key: 'c', value: hardText }, { key: 'b', value: 'second' });
      await put();
      assert.deepEqual(await tagsOf(store), [
        { key: 'a', value: '' },
        { key: 'b', value: 'second' },
        { key: 'c', value: hardText },
      ]);
      await store.write(({ vaultSettings }) =>
        vaultSettings.removeTags('vault', ['absent', 'a', 'c', 'a', 'B']),
      );
      assert.deepEqual(await tagsOf(store), [{ key: 'b', value: 'second' }]);
    },
  },
  {
    title: 'of two tags with one key in one call the later stays',
    run: async (specimen) => {
      await withVault(specimen);
      await specimen.store.write(({ vaultSettings }) =>
        vaultSettings.putTags('vault', [
          { key: 'key', value: 'earlier' },
          { key: 'key', value: 'later' },
        ]),
      );
      assert.deepEqual(await tagsOf(specimen.store), [{ key: 'key', value: 'later' }]);
    },
  },
  {
    title: 'tags are listed in the order of the bytes of their keys',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      // By units of UTF-16 the last two would change places, by language and case most of them.
      const inOrder = ['', '1', 'B', 'a', 'aa', 'z', 'é', '\u{ff5e}', '\u{1f9ca}'];
      await putKeys(store, inOrder.toReversed());
      assert.deepEqual(keysOf(await tagsOf(store)), inOrder);
      const keys = fc.uniqueArray(fc.oneof(text, fc.constantFrom(...inOrder)), { maxLength: 50 });
      await fc.assert(
        fc.asyncProperty(keys, async (some) => {
          await store.write(async ({ vaultSettings }) => {
            const before = keysOf(await vaultSettings.tags('vault'));
            await vaultSettings.removeTags('vault', before);
          });
          await putKeys(store, some);
          assert.deepEqual(keysOf(await tagsOf(store)), some.toSorted(byBytes));
        }),
        { numRuns: 30, seed: 20_260_131 },
      );
    },
  },
  {
    title: 'notifications are what was set last, until they are taken away',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const set = (notifications: NotificationsRow | null) =>
        store.write(({ vaultSettings }) => vaultSettings.setNotifications('vault', notifications));
      const get = async () => (await settingsOf(store, 'vault')).notifications;
      await set({ snsTopic: 'topic', events: ['InventoryRetrievalCompleted'] });
      const last = { snsTopic: hardText, events: ['B', hardText, 'A', 'B'] };
      await set(last);
      assert.deepEqual(await get(), last);
      await set({ snsTopic: 'topic', events: [] });
      assert.deepEqual(await get(), { snsTopic: 'topic', events: [] });
      await set(null);
      assert.equal(await get(), undefined);
      await set(null);
      assert.equal(await get(), undefined);
    },
  },
  {
    title: 'policies come back byte for byte, however long and whatever is in them',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const policies = fc.oneof(
        text,
        fc.tuple(text, text).map(([before, after]) => filled(before, after)),
      );
      await fc.assert(
        fc.asyncProperty(policies, async (policy) => {
          await assertKept(store, policy);
        }),
        { numRuns: 20, seed: 20_260_131, examples: [[filled(hardText, '')], [' '], ['']] },
      );
      await store.write(({ vaultSettings }) => vaultSettings.setAccessPolicy('vault', null));
      const { accessPolicy, lock } = await settingsOf(store, 'vault');
      assert.equal(accessPolicy, undefined);
      assert.ok(lock !== undefined);
    },
  },
  {
    title: 'a lock is what was set last, until it is taken away',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const started = sampleLock();
      await setLock(store, 'vault', started);
      assert.deepEqual((await settingsOf(store, 'vault')).lock, started);
      const changes = { policy: '{"other":1}', lockId: 'other', createdAtMs: 4_001 };
      const locked = sampleLock({ ...changes, state: 'Locked', expiresAtMs: null });
      await setLock(store, 'vault', locked);
      assert.deepEqual((await settingsOf(store, 'vault')).lock, locked);
      await setLock(store, 'vault', null);
      assert.equal((await settingsOf(store, 'vault')).lock, undefined);
      const other = sampleLock({ lockId: 'another', createdAtMs: 7_000, expiresAtMs: 8_000 });
      await setLock(store, 'vault', other);
      assert.deepEqual((await settingsOf(store, 'vault')).lock, other);
    },
  },
  {
    title: 'locks that expire at or before a time are listed, and none that is completed',
    run: async ({ store }) => {
      const vaults = { late: 300, early: 100, second: 200, 'by id': 200 } as const;
      await store.write(async (rows) => {
        await rows.vaults.insert(sampleVault('locked'));
        const locked = sampleLock({ state: 'Locked', expiresAtMs: null });
        await rows.vaultSettings.setLock('locked', locked);
        for (const [vaultId, expiresAtMs] of Object.entries(vaults)) {
          await rows.vaults.insert(sampleVault(vaultId));
          await rows.vaultSettings.setLock(vaultId, sampleLock({ expiresAtMs }));
        }
      });
      const list = async (nowMs: number, limit = 9) =>
        (
          await store.read(({ vaultSettings }) => vaultSettings.listExpiredLocks(nowMs, limit))
        ).toSorted();
      assert.deepEqual(await list(99), []);
      assert.deepEqual(await list(100), ['early']);
      assert.deepEqual(await list(299), ['by id', 'early', 'second']);
      assert.deepEqual(await list(300), ['by id', 'early', 'late', 'second']);
      assert.equal((await list(300, 2)).length, 2);
      const locked = sampleLock({ state: 'Locked', expiresAtMs: null });
      await setLock(store, 'early', locked);
      await setLock(store, 'late', null);
      assert.deepEqual(await list(300), ['by id', 'second']);
    },
  },
  {
    title: 'what is set on one vault is not set on another, be it of the same name elsewhere',
    run: async ({ store }) => {
      await store.write(async ({ vaults }) => {
        await vaults.insert(sampleVault('one', { vaultName: 'same' }));
        await vaults.insert(sampleVault('elsewhere', { vaultName: 'same', region: 'eu-west-1' }));
        await vaults.insert(
          sampleVault('theirs', { vaultName: 'same', accountId: '2'.repeat(12) }),
        );
      });
      for (const vaultId of ['one', 'elsewhere', 'theirs']) await setAll(store, vaultId);
      await store.write(async ({ vaultSettings }) => {
        await vaultSettings.removeTags('one', ['key']);
        await vaultSettings.setNotifications('one', null);
        await vaultSettings.setAccessPolicy('one', null);
        await vaultSettings.setLock('one', null);
      });
      assert.deepEqual(await settingsOf(store, 'one'), nothing);
      assert.deepEqual(await settingsOf(store, 'elsewhere'), allOf('elsewhere'));
      assert.deepEqual(await settingsOf(store, 'theirs'), allOf('theirs'));
    },
  },
  {
    title: 'what is set on a vault goes with it, and is not set on one that is made after it',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await store.write(({ vaults }) => vaults.insert(sampleVault('other')));
      await setAll(store, 'vault');
      await setAll(store, 'other');
      await store.write(({ vaults }) => vaults.remove('vault'));
      assert.deepEqual(await settingsOf(store, 'vault'), nothing);
      const expired = await store.read(({ vaultSettings }) =>
        vaultSettings.listExpiredLocks(Number.MAX_SAFE_INTEGER, 9),
      );
      assert.deepEqual(expired, ['other']);
      await withVault(specimen);
      assert.deepEqual(await settingsOf(store, 'vault'), nothing);
      assert.deepEqual(await settingsOf(store, 'other'), allOf('other'));
    },
  },
  {
    title: 'what is set on a vault stays when the vault changes',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await setAll(store, 'vault');
      await store.write(async ({ vaults }) => {
        const inventory = { takenAtMs: 5, asOfChange: 1, archiveCount: 1, sizeBytes: 30 };
        await vaults.recordChange('vault', { archives: 1, sizeBytes: 30, atMs: 4 });
        await vaults.setLastInventory('vault', inventory);
        await vaults.clearLastInventories();
      });
      assert.deepEqual(await settingsOf(store, 'vault'), allOf('vault'));
    },
  },
  {
    title: 'what is set on a vault outlives a crash, byte for byte',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      await withVault(specimen);
      await setAll(specimen.store, 'vault');
      const policy = filled(hardText, hardText);
      await assertKept(specimen.store, policy);
      const before = await settingsOf(specimen.store, 'vault');
      await specimen.crash();
      assert.deepEqual(await settingsOf(specimen.store, 'vault'), before);
    },
  },
];

const nothing = { tags: [], notifications: undefined, accessPolicy: undefined, lock: undefined };

function settingsOf(store: MetadataStore, vaultId: string) {
  return store.read(async ({ vaultSettings }) => ({
    tags: await vaultSettings.tags(vaultId),
    notifications: await vaultSettings.notifications(vaultId),
    accessPolicy: await vaultSettings.accessPolicy(vaultId),
    lock: await vaultSettings.lock(vaultId),
  }));
}

/** What `setAll` sets. */
function allOf(vaultId: string) {
  return {
    tags: [{ key: 'key', value: `value of ${vaultId}` }],
    notifications: { snsTopic: `topic of ${vaultId}`, events: ['ArchiveRetrievalCompleted'] },
    accessPolicy: `access policy of ${vaultId}`,
    lock: sampleLock({ policy: `lock policy of ${vaultId}` }),
  };
}

async function setAll(store: MetadataStore, vaultId: string): Promise<void> {
  const { tags, notifications, accessPolicy, lock } = allOf(vaultId);
  await store.write(async ({ vaultSettings }) => {
    await vaultSettings.putTags(vaultId, tags);
    await vaultSettings.setNotifications(vaultId, notifications);
    await vaultSettings.setAccessPolicy(vaultId, accessPolicy);
    await vaultSettings.setLock(vaultId, lock);
  });
}

function tagsOf(store: MetadataStore): Promise<TagRow[]> {
  return store.read(({ vaultSettings }) => vaultSettings.tags('vault'));
}

function keysOf(tags: readonly TagRow[]): string[] {
  return tags.map(({ key }) => key);
}

async function putKeys(store: MetadataStore, keys: readonly string[]): Promise<void> {
  const tags = keys.map((key) => ({ key, value: 'value' }));
  await store.write(({ vaultSettings }) => vaultSettings.putTags('vault', tags));
}

function setLock(store: MetadataStore, vaultId: string, lock: VaultLockRow | null): Promise<void> {
  return store.write(({ vaultSettings }) => vaultSettings.setLock(vaultId, lock));
}

/** Sets `policy` as both policies of the vault, and reads them. */
async function assertKept(store: MetadataStore, policy: string): Promise<void> {
  await store.write(async ({ vaultSettings }) => {
    await vaultSettings.setAccessPolicy('vault', policy);
    await vaultSettings.setLock('vault', sampleLock({ policy }));
  });
  const { accessPolicy, lock } = await settingsOf(store, 'vault');
  // Not by `equal`, which would print both.
  assert.ok(accessPolicy === policy, `an access policy of ${policy.length} characters`);
  assert.ok(lock?.policy === policy, `a lock policy of ${policy.length} characters`);
}

/** Text of the greatest length between two others, as far as there is room for them. */
function filled(before: string, after: string): string {
  const room = policySizeBytesMax - Buffer.byteLength(before) - Buffer.byteLength(after);
  return room < 0 ? before : `${before}${'"'.repeat(room)}${after}`;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
