import assert from 'node:assert/strict';
import { Archives } from '../../src/domain/archives.ts';
import { Markers } from '../../src/domain/markers.ts';
import { Pins } from '../../src/domain/pins.ts';
import { Uploads } from '../../src/domain/uploads.ts';
import { Vaults } from '../../src/domain/vaults.ts';
import { Bell } from '../../src/lib/bell.ts';
import { SimulatedClock } from '../../src/lib/clock.ts';
import { TimeBounds } from '../../src/lib/time-bounds.ts';
import { sampleBytes } from '../../src/storage/blob-specimen.ts';
import type { Files } from '../../src/storage/disk/files.ts';
import { SqliteMetadataStore } from '../../src/storage/sqlite/sqlite-metadata-store.ts';
import { photos, upload } from '../support/domain.ts';
import { RecordedLog } from '../support/recorded-log.ts';
import { seededRandomBytes } from '../support/seeded-random.ts';
import type { Stage } from './explore.ts';
import { openVolume } from './volume.ts';

/** An archive of these workloads is named by its description: its size and a seed. */
export type ArchiveNote =
  | { readonly created: 'vault' }
  | { readonly storing: string }
  | { readonly stored: string; readonly archiveId: string }
  | { readonly removing: string }
  | { readonly removed: string };

/** The archives in the vault, by their ids; nothing when there is no vault. */
export type SeenArchives = ReadonlyMap<string, string> | undefined;

function bytesOf(description: string): Uint8Array {
  const [size = 0, seed = 0] = description.split('-').map(Number);
  return sampleBytes(size, seed);
}

const dayMs = 24 * 60 * 60 * 1000;

let runs = 0;

/**
 * The domain on a volume. Without a `database` that is there already the rows are kept in memory, and
 * made again from the whole journal: as after the loss of the database at each crash.
 */
export async function openStore(files: Files, { database = ':memory:' } = {}) {
  const log = new RecordedLog();
  runs += 1;
  const clock = new SimulatedClock();
  const volume = await openVolume(files, { clock });
  const store = await SqliteMetadataStore.open({
    ...{ path: database, clock, log, journal: volume.journal },
  });
  const isAhead = log.names('warn').includes('journal.behind');
  assert.ok(!isAhead, 'the database knows nothing that the journal does not');
  const { blobs } = volume;
  const randomBytes = seededRandomBytes(`domain ${runs}`);
  const parts = {
    ...{ store, blobs, clock, randomBytes, pins: new Pins() },
    ...{ removals: new Bell(), aborts: new Bell(), markers: new Markers(new Uint8Array(32)) },
    ...{ timeBounds: new TimeBounds({ clock, log, longestMs: dayMs }), uploadExpiryMs: dayMs },
    ...({ inventoryMode: 'live', timing: 'immediate', vaultsMax: 1000 } as const),
  };
  return {
    ...{ store, blobs },
    vaults: new Vaults(parts),
    archives: new Archives(parts),
    uploads: new Uploads(parts),
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await volume[Symbol.asyncDispose]();
    },
  };
}

export type Store = Awaited<ReturnType<typeof openStore>>;

export async function storeArchive(
  { archives }: Store,
  description: string,
  { note }: Pick<Stage<ArchiveNote>, 'note'>,
): Promise<string> {
  note({ storing: description });
  const { archiveId } = await archives.store(upload(bytesOf(description), { description }));
  note({ stored: description, archiveId });
  return archiveId;
}

export async function removeArchive(
  { archives }: Store,
  archiveId: string,
  { note }: Pick<Stage<ArchiveNote>, 'note'>,
): Promise<void> {
  note({ removing: archiveId });
  await archives.remove(photos, archiveId);
  note({ removed: archiveId });
}

/** Reads every archive that a row tells of: no row may be without its bytes. */
export async function lookAtArchives({ store, blobs }: Store): Promise<SeenArchives> {
  const found = await store.read(async (rows) => {
    const vault = await rows.vaults.get(photos);
    if (vault === undefined) return undefined;
    const { archives } = await rows.archives.listForInventory({
      ...{ vaultId: vault.vaultId, asOfChange: vault.changes, after: null, limit: 100 },
      ...{ createdFromMs: null, createdBeforeMs: null },
    });
    const listed = archives.map(async (archive) => ({
      ...archive,
      blobs: await rows.archives.blobs(archive.archiveId),
    }));
    return { vault, archives: await Promise.all(listed) };
  });
  if (found === undefined) return undefined;
  const { vault, archives } = found;
  assert.equal(
    vault.archiveCount,
    archives.length,
    'the totals of a vault are those of its archives',
  );
  const seen = new Map<string, string>();
  for (const { archiveId, description, blobs: parts } of archives) {
    const chunks: Buffer[] = [];
    for (const { blobId, sizeBytes } of parts) {
      for await (const chunk of blobs.read(blobId, { offsetBytes: 0, lengthBytes: sizeBytes })) {
        chunks.push(Buffer.from(chunk));
      }
    }
    const isRight = Buffer.concat(chunks).equals(bytesOf(description));
    assert.ok(isRight, `the archive ${description} has wrong bytes`);
    seen.set(archiveId, description);
  }
  return seen;
}

/** Throws unless what was acknowledged is there, and nothing else but what was under way. */
export function judgeArchives(seen: SeenArchives, notes: readonly ArchiveNote[]): void {
  const live = new Map<string, string>();
  const beingRemoved = new Map<string, string>();
  const beingStored = new Set<string>();
  let isCreated = false;
  for (const note of notes) {
    if ('created' in note) isCreated = true;
    else if ('storing' in note) beingStored.add(note.storing);
    else if ('stored' in note) {
      beingStored.delete(note.stored);
      live.set(note.archiveId, note.stored);
    } else if ('removing' in note) {
      beingRemoved.set(note.removing, live.get(note.removing) ?? '');
      live.delete(note.removing);
    } else beingRemoved.delete(note.removed);
  }
  if (isCreated) assert.ok(seen, 'the vault is lost');
  for (const [archiveId, description] of live) {
    assert.equal(seen?.get(archiveId), description, `the archive ${description} is lost`);
  }
  for (const [archiveId, description] of seen ?? []) {
    if (live.has(archiveId)) continue;
    const mayBe = beingRemoved.get(archiveId) === description || beingStored.has(description);
    assert.ok(mayBe, `the archive ${description} should not be there`);
  }
}
