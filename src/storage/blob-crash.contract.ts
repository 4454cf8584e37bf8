import assert from 'node:assert/strict';
import {
  type BlobCase,
  type BlobDamage,
  edgeSizes,
  listIds,
  readBytes,
  type SampleBlob,
  sampleBytes,
  sampleWriting,
  WatchedSource,
  writeBytes,
} from './blob-specimen.ts';
import {
  type BlobDescription,
  type BlobStore,
  frameSizeBytes,
  type StoredBlob,
} from './blob-store.ts';
import { isStoreError } from './errors.ts';

/** What a crash, a restart and a damaged byte may do, and what not. */
export const blobCrashCases: readonly BlobCase[] = [
  {
    title: 'blobs outlive a store that was closed',
    run: async (specimen) => {
      assert.ok(specimen.reopen, 'needs reopen');
      const stored = await writeAll(specimen.store);
      await specimen.reopen();
      await assertAll(specimen.store, stored);
    },
  },
  {
    title: 'an acknowledged blob outlives a crash',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      const stored = await writeAll(specimen.store);
      await specimen.crash();
      await assertAll(specimen.store, stored);
      const more = await writeAll(specimen.store);
      await specimen.crash();
      await assertAll(specimen.store, [...stored, ...more]);
    },
  },
  {
    title: 'an acknowledged removal outlives a crash',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      const stored = await writeAll(specimen.store);
      const isRemoved = (_: unknown, index: number) => index % 2 === 0;
      await Promise.all(stored.filter(isRemoved).map(({ id }) => specimen.store.remove(id)));
      await specimen.crash();
      await assertAll(
        specimen.store,
        stored.filter((_, index) => !isRemoved(_, index)),
      );
      for (const { id } of stored.filter(isRemoved)) {
        await assert.rejects(specimen.store.describe(id), (error) =>
          isStoreError(error, 'BlobNotFound'),
        );
      }
    },
  },
  {
    title: 'a crash leaves nothing of a write that was not acknowledged',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      const kept = await writeAll(specimen.store);
      for (const chunks of [[], [sampleBytes(5000)], [sampleBytes(5 * frameSizeBytes)]]) {
        const source = new WatchedSource(chunks, 'stall');
        // Its end is of no interest: the process that waits for it is gone.
        specimen.store.write(source, sampleWriting()).catch(() => undefined);
        await source.stalled;
        await specimen.crash();
        await assertAll(specimen.store, kept);
      }
    },
  },
  {
    title: 'an id of before is not taken for a blob of today',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      const before = await writeAll(specimen.store);
      for (const { id } of before) await specimen.store.remove(id);
      await specimen.crash();
      const today = await writeAll(specimen.store);
      for (const { id } of before) {
        await assert.rejects(specimen.store.describe(id), (error) =>
          isStoreError(error, 'BlobNotFound'),
        );
        await specimen.store.remove(id);
      }
      await assertAll(specimen.store, today);
    },
  },
  {
    title: 'a damaged byte never gives wrong bytes, and costs no other blob',
    run: async ({ store, damages }) => {
      assert.ok(damages, 'needs damages');
      for (const size of [1, 1000, 256 * 1024, 2 * frameSizeBytes + 5]) {
        const before = await writeAll(store, [700, 300_000]);
        const [victim] = await writeAll(store, [size]);
        const after = await writeAll(store, [700, 300_000]);
        assert.ok(victim);
        for (const damage of await damages(sampleOf(victim))) {
          await assertContained(store, { victim, others: [...before, ...after], damage });
        }
        for (const { id } of [...before, victim, ...after]) await store.remove(id);
      }
    },
  },
  {
    title: 'a damaged label is the loss of its own blob alone',
    run: async ({ store, damages }) => {
      assert.ok(damages, 'needs damages');
      for (const size of [0, 1000, 2 * frameSizeBytes + 5]) {
        const [before, victim, after] = await writeAll(store, [700, size, 300_000]);
        assert.ok(before && victim && after);
        const ofLabel = (await damages(sampleOf(victim))).filter(isOfLabel);
        assert.notEqual(ofLabel.length, 0, 'bytes of the label are among the damages');
        for (const damage of ofLabel) {
          await assertContained(store, { victim, others: [before, after], damage });
        }
        for (const { id } of [before, victim, after]) await store.remove(id);
      }
    },
  },
  {
    title: 'a frame is read although another one of its blob is damaged',
    run: async ({ store, damages }) => {
      assert.ok(damages, 'needs damages');
      const [victim] = await writeAll(store, [3 * frameSizeBytes]);
      assert.ok(victim);
      const { id, bytes } = victim;
      const last = (await damages(sampleOf(victim))).find(({ what }) => what.includes('3145727'));
      assert.ok(last, 'the last byte is among the damages');
      await last.apply();
      const range = { offsetBytes: 5, lengthBytes: 2 * frameSizeBytes - 5 };
      assert.deepEqual(await readBytes(store, id, range), bytes.slice(5, 2 * frameSizeBytes));
      const beyond = { offsetBytes: 5, lengthBytes: 2 * frameSizeBytes };
      await assert.rejects(readBytes(store, id, beyond), (error) =>
        isStoreError(error, 'BlobCorrupt'),
      );
    },
  },
];

type Written = StoredBlob & { readonly bytes: Uint8Array; readonly label: string };

let seed = 0;

async function writeAll(store: BlobStore, sizes: readonly number[] = edgeSizes) {
  const written = sizes.map(async (size): Promise<Written> => {
    const bytes = sampleBytes(size, ++seed);
    const label = `{"sample":${seed},"text":"${'schön '.repeat(seed % 7)}"}`;
    return { ...(await writeBytes(store, bytes, label)), bytes, label };
  });
  return await Promise.all(written);
}

function sampleOf({ id, sizeBytes, label }: Written): SampleBlob {
  return { id, sizeBytes, labelSizeBytes: Buffer.byteLength(label) };
}

/** The store holds these blobs, intact, and lists no others. */
async function assertAll(store: BlobStore, stored: readonly Written[]): Promise<void> {
  assert.deepEqual(await listIds(store), stored.map(({ id }) => id).sort());
  for (const one of stored) {
    const range = { offsetBytes: 0, lengthBytes: one.bytes.length };
    assert.deepEqual(await readBytes(store, one.id, range), one.bytes);
    assertDescribed(await store.describe(one.id), one);
  }
}

function assertDescribed(described: BlobDescription, { sizeBytes, leaves, label }: Written): void {
  assert.equal(described.label, label);
  assert.equal(described.sizeBytes, sizeBytes);
  assert.deepEqual(new Uint8Array(described.leaves), new Uint8Array(leaves));
}

async function assertContained(
  store: BlobStore,
  { victim, others, damage }: { victim: Written; others: Written[]; damage: BlobDamage },
): Promise<void> {
  const range = { offsetBytes: 0, lengthBytes: victim.bytes.length };
  const repair = await damage.apply();
  let readSoFar = new Uint8Array(0);
  const reading = readBytes(store, victim.id, range, (chunk) => {
    readSoFar = new Uint8Array(Buffer.concat([readSoFar, chunk]));
  });
  if (damage.isHarmless === true) await reading;
  else if (damage.strikes === 'label') await reading.catch(assertDamageReport);
  else await assert.rejects(reading, isDamageReport, damage.what);
  assert.deepEqual(readSoFar, victim.bytes.slice(0, readSoFar.length), damage.what);
  // The leaves are either refused or right: they vouch for every byte. So is the label.
  const describing = store.describe(victim.id);
  if (damage.strikes === 'label') await assert.rejects(describing, isDamageReport, damage.what);
  else {
    const described = await describing.catch(assertDamageReport);
    if (described !== undefined) assertDescribed(described, victim);
  }
  const listed = new Set(await listIds(store));
  for (const { id, bytes } of others) {
    assert.ok(listed.has(id), damage.what);
    const read = await readBytes(store, id, { offsetBytes: 0, lengthBytes: bytes.length });
    assert.deepEqual(read, bytes, damage.what);
  }
  await repair();
  assert.deepEqual(await readBytes(store, victim.id, range), victim.bytes, damage.what);
  assertDescribed(await store.describe(victim.id), victim);
}

function assertDamageReport(error: unknown): undefined {
  assert.ok(isDamageReport(error), String(error));
}

function isOfLabel({ strikes }: BlobDamage): boolean {
  return strikes === 'label';
}

function isDamageReport(error: unknown): boolean {
  return isStoreError(error, 'BlobCorrupt') || isStoreError(error, 'BlobNotFound');
}
