import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  accountId,
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  region,
  runUntilIdle,
  storeText,
  videos,
} from '../../tests/support/domain.ts';
import { initiate, partOf } from '../../tests/support/domain-uploads.ts';
import { GlacierError } from '../protocol/errors.ts';
import { vaultArn } from '../protocol/names.ts';
import { RefreshInventories } from '../workers/refresh-inventories.ts';

fc.configureGlobal({ seed: 20_260_131 });

const arn = 'arn:aws:glacier:us-east-1:012345678901:vaults/photos';
const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);
const notFound = (name: string) =>
  new GlacierError('ResourceNotFoundException', `Vault not found for ARN: ${name}`);

/** Lets a day go by, and takes the inventories that are due then. */
async function takeInventories(domain: Domain): Promise<void> {
  domain.clock.advance(24 * hourMs);
  await runUntilIdle(new RefreshInventories({ ...domain, intervalMs: 24 * hourMs }));
}

test('a new vault is described at once, empty and never inventoried', async () => {
  await using domain = await openDomain();
  assert.deepEqual(await domain.vaults.describe(photos), {
    creationDate: '2026-01-31T14:26:33.031Z',
    lastInventoryDate: null,
    numberOfArchives: 0,
    sizeInBytes: 0,
    vaultARN: arn,
    vaultName: 'photos',
  });
});

test('making a vault again leaves it as it is', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const before = await domain.vaults.describe(photos);
  domain.clock.advance(1000);
  await Promise.all([domain.vaults.create(photos), domain.vaults.create(photos)]);
  assert.deepEqual(await domain.vaults.describe(photos), before);
});

test('the same name in another region or account is another vault', async () => {
  await using domain = await openDomain();
  const elsewhere = { ...photos, region: 'eu-west-1' };
  const others = { ...photos, accountId: '210987654321' };
  await storeText(domain, 'hello');
  await domain.vaults.create(elsewhere);
  await assert.rejects(domain.vaults.describe(others), notFound(vaultArn(others)));
  assert.equal((await domain.vaults.describe(elsewhere)).numberOfArchives, 0);
  assert.equal((await domain.vaults.describe(photos)).numberOfArchives, 1);
});

test('names differ by case', async () => {
  await using domain = await openDomain();
  const capital = { ...photos, vaultName: 'Photos' };
  await assert.rejects(domain.vaults.describe(capital), notFound(vaultArn(capital)));
});

test('a name that is against the rules makes no vault, and is not found under its own name', async () => {
  await using domain = await openDomain();
  for (const vaultName of ['', '..', 'a b', 'x'.repeat(256)]) {
    const key = { ...photos, vaultName };
    await assert.rejects(domain.vaults.create(key), invalid(`Invalid vault name: ${vaultName}`));
    await assert.rejects(domain.vaults.describe(key), notFound(vaultName));
  }
});

test('an account has up to 1,000 vaults in a region', async () => {
  await using domain = await openDomain();
  const nth = (number: number) => ({ ...photos, vaultName: `vault-${number}` });
  // `photos` is the first.
  await Promise.all(Array.from({ length: 999 }, (_, index) => domain.vaults.create(nth(index))));
  const full = new GlacierError(
    'LimitExceededException',
    'The vault limit for this account has been reached.',
  );
  await assert.rejects(domain.vaults.create(nth(999)), full);
  await domain.vaults.create(nth(5));
  await domain.vaults.create({ ...nth(999), region: 'eu-west-1' });
  await domain.vaults.create({ ...nth(999), accountId: '210987654321' });
  await domain.vaults.remove(nth(5));
  await domain.vaults.create(nth(999));
});

test('an account has as many vaults in a region as the setting says', async () => {
  await using domain = await openDomain({ vaultsMax: 2 });
  await domain.vaults.create(videos);
  const third = { ...photos, vaultName: 'third' };
  await assert.rejects(domain.vaults.create(third), /The vault limit for this account/);
  await domain.vaults.create(videos);
  await domain.vaults.remove(videos);
  await domain.vaults.create(third);
});

test('under exact timing the totals are those of now, and their date that of the last change', async () => {
  await using domain = await openDomain();
  domain.clock.advance(1000);
  const archiveId = await storeText(domain, 'hello');
  domain.clock.advance(1000);
  await storeText(domain, 'world!');
  domain.clock.advance(1000);
  const full = await domain.vaults.describe(photos);
  assert.deepEqual(
    [full.numberOfArchives, full.sizeInBytes, full.lastInventoryDate],
    [2, 11, '2026-01-31T14:26:35.031Z'],
  );
  await domain.archives.remove(photos, archiveId);
  const less = await domain.vaults.describe(photos);
  assert.deepEqual(
    [less.numberOfArchives, less.sizeInBytes, less.lastInventoryDate],
    [1, 6, '2026-01-31T14:26:36.031Z'],
  );
});

test('under Amazon’s timing the totals are those of the last inventory, with overhead', async () => {
  await using domain = await openDomain({ inventoryMode: 'scheduled' });
  await storeText(domain, 'hello');
  const before = await domain.vaults.describe(photos);
  assert.deepEqual(
    [before.numberOfArchives, before.sizeInBytes, before.lastInventoryDate],
    [null, null, null],
  );
  await takeInventories(domain);
  await storeText(domain, 'world!');
  const after = await domain.vaults.describe(photos);
  assert.deepEqual(
    [after.numberOfArchives, after.sizeInBytes, after.lastInventoryDate],
    [1, 5 + 32_768, '2026-02-01T14:26:33.031Z'],
  );
});

test('a vault that is not there can be removed, any number of times', async () => {
  await using domain = await openDomain();
  await domain.vaults.remove(photos);
  await domain.vaults.remove(photos);
  await assert.rejects(domain.vaults.describe(photos), notFound(arn));
});

test('a vault made again under its name has nothing of the old one', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.archives.remove(photos, archiveId);
  const jobId = await domain.jobs.initiate(photos, { type: 'inventory-retrieval' });
  await domain.vaults.remove(photos);
  domain.clock.advance(1000);
  await domain.vaults.create(photos);
  const vault = await domain.vaults.describe(photos);
  assert.deepEqual(
    [vault.creationDate, vault.lastInventoryDate],
    ['2026-01-31T14:26:34.031Z', null],
  );
  await assert.rejects(
    domain.jobs.describe(photos, jobId),
    new GlacierError('ResourceNotFoundException', `The job ID was not found: ${jobId}`),
  );
});

type Deed = (domain: Domain) => Promise<unknown>;
const store: Deed = (domain) => storeText(domain, 'hello');
const removeAll: Deed = async (domain) => {
  const vault = await domain.store.read(({ vaults }) => vaults.get(photos));
  const { archives: all } = await domain.store.read(({ archives }) =>
    archives.listForInventory({
      vaultId: vault?.vaultId ?? '',
      asOfChange: vault?.changes ?? 0,
      createdFromMs: null,
      createdBeforeMs: null,
      after: null,
      limit: 100,
    }),
  );
  for (const { archiveId } of all) await domain.archives.remove(photos, archiveId);
};

// biome-ignore format: a table reads best as a table
const histories: readonly [what: string, deeds: readonly Deed[], live: boolean, aws: boolean][] = [
  ['never held anything',                    [],                                           true,  true],
  ['was inventoried, and never held anything', [takeInventories],                          true,  true],
  ['holds an archive',                       [store],                                      false, false],
  ['holds an archive that was inventoried',  [store, takeInventories],                     false, false],
  ['was emptied before any inventory',       [store, removeAll],                           true,  false],
  ['was emptied after its inventory',        [store, takeInventories, removeAll],          true,  false],
  ['was inventoried after it was emptied',   [store, removeAll, takeInventories],          true,  true],
  ['was emptied, inventoried, and written to', [store, removeAll, takeInventories, store], false, false],
  ['was inventoried empty, written to and emptied',
    [takeInventories, store, removeAll],                                                   true,  false],
];

for (const [what, deeds, live, aws] of histories) {
  for (const [inventoryMode, isRemovable] of [
    ['live', live],
    ['scheduled', aws],
  ] as const) {
    const verdict = isRemovable ? 'can be removed' : 'cannot be removed';
    test(`a vault that ${what} ${verdict} under ${inventoryMode} inventories`, async () => {
      await using domain = await openDomain({ inventoryMode });
      for (const deed of deeds) await deed(domain);
      const removal = domain.vaults.remove(photos);
      const refused = invalid(`Vault not empty or recently written to: ${arn}`);
      if (!isRemovable) return assert.rejects(removal, refused);
      await removal;
      await assert.rejects(domain.vaults.describe(photos), notFound(arn));
    });
  }
}

const list = (domain: Domain, limit?: number, marker?: string) =>
  domain.vaults.list({ accountId, region, limit, marker });

for (const inventoryMode of ['live', 'scheduled'] as const) {
  test(`uploads do not keep a vault whose inventories are ${inventoryMode}: they go with it`, async () => {
    await using domain = await openDomain({ inventoryMode });
    const uploadId = await initiate(domain);
    await domain.uploads.putPart(partOf(uploadId, 0, Buffer.from('hello')));
    await domain.vaults.remove(photos);
    await domain.aborts.wait(goingOn);
    const upload = await domain.store.read(({ uploads }) => uploads.get(uploadId));
    assert.equal(upload?.state, 'Aborted');
    assert.equal(upload.endedAtMs, domain.clock.now());
    await domain.vaults.create(photos);
    assert.deepEqual((await domain.uploads.list(photos, {})).uploadsList, []);
  });
}

test('vaults are listed by the bytes of their names, ten at a time at most', async () => {
  await using domain = await openDomain();
  const names = ['b', 'B', 'a', '_', '0', '-', 'aa', 'a.b', 'A', 'z', 'Z', '9'];
  for (const vaultName of names) await domain.vaults.create({ ...photos, vaultName });
  const first = await list(domain, 1000);
  const expected = ['-', '0', '9', 'A', 'B', 'Z', '_', 'a', 'a.b', 'aa'];
  assert.deepEqual(
    first.vaults.map(({ vaultName }) => vaultName),
    expected,
  );
  assert.equal(first.marker, vaultArn({ ...photos, vaultName: 'aa' }));
  const second = await list(domain, undefined, first.marker ?? '');
  assert.deepEqual(
    second.vaults.map(({ vaultName }) => vaultName),
    ['b', 'photos', 'z'],
  );
  assert.equal(second.marker, null);
});

test('pages of any size, one after the other, are the whole list', async () => {
  await using domain = await openDomain();
  const names = ['photos', ...Array.from({ length: 11 }, (_, index) => `v${index}`)].sort();
  for (const vaultName of names) await domain.vaults.create({ ...photos, vaultName });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 12 }), async (limit) => {
      const seen: string[] = [];
      let marker: string | undefined = '';
      while (marker !== undefined) {
        const page: Awaited<ReturnType<typeof list>> = await list(domain, limit, marker);
        assert.ok(page.vaults.length <= Math.min(limit, 10));
        seen.push(...page.vaults.map(({ vaultName }) => vaultName));
        marker = page.marker ?? undefined;
      }
      assert.deepEqual(seen, names);
    }),
    { numRuns: 12 },
  );
});

test('a list goes on after a vault that is gone, and a full last page has no marker', async () => {
  await using domain = await openDomain();
  await domain.vaults.create(videos);
  const first = await list(domain, 1);
  await domain.vaults.remove(photos);
  const rest = await list(domain, 1, first.marker ?? '');
  assert.deepEqual(
    rest.vaults.map(({ vaultName }) => vaultName),
    ['videos'],
  );
  assert.equal(rest.marker, null);
});

test('a marker that is no vault of this account and region is refused', async () => {
  await using domain = await openDomain();
  for (const marker of [
    'photos',
    vaultArn({ ...photos, region: 'eu-west-1' }),
    vaultArn({ ...photos, accountId: '210987654321' }),
    `${arn}/`,
  ]) {
    await assert.rejects(list(domain, 10, marker), invalid(`Invalid marker: ${marker}`));
  }
});
