import assert from 'node:assert/strict';
import { chunked, readBytes } from '../../src/storage/blob-specimen.ts';
import type { BlobId, BlobStore } from '../../src/storage/blob-store.ts';
import type { Files } from '../../src/storage/disk/files.ts';
import type { SimulatedFiles } from '../../src/storage/disk/simulated-files.ts';
import { isStoreError } from '../../src/storage/errors.ts';
import {
  BlobExpectation,
  type BlobKey,
  type BlobNote,
  bytesOfKey,
  type SeenBlob,
  type SeenBlobs,
} from './blob-history.ts';
import type { Exploration, Stage } from './explore.ts';
import { layout, type OpenVolume, openVolume, strayFiles } from './volume.ts';

type Noting = Pick<Stage<BlobNote>, 'note' | 'attempt'>;

/** Writes the blobs of `keys` at the same time, and answers the ids of those that were written. */
export async function writeAll(
  store: BlobStore,
  keys: readonly BlobKey[],
  { note, attempt = wait }: Noting,
): Promise<BlobId[]> {
  const written = await Promise.all(
    keys.map(async (key) => {
      note({ deed: 'writing', key });
      const writing = store.write(chunked(bytesOfKey(key)), { label: () => key });
      const stored = await attempt(writing);
      if (stored !== undefined) note({ deed: 'written', key, id: stored.id });
      return stored?.id;
    }),
  );
  return written.filter((id) => id !== undefined);
}

/** Removes blobs at the same time. */
export async function removeAll(
  store: BlobStore,
  ids: readonly BlobId[],
  { note, attempt = wait }: Noting,
): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      note({ deed: 'removing', ids: [id] });
      const removing = store.remove(id).then(() => true);
      if (await attempt(removing)) note({ deed: 'removed', ids: [id] });
    }),
  );
}

async function wait<T>(work: Promise<T>): Promise<T> {
  return await work;
}

/** Begins to write a blob, and gives up when all but the end of it was taken. */
export async function uploadAndAbort(
  store: BlobStore,
  key: BlobKey,
  { note }: Noting,
): Promise<void> {
  const aborting = new AbortController();
  const goneAway = new Error('the client went away');
  async function* source() {
    yield bytesOfKey(key).slice(0, -10);
    // What was taken shall be on its way to the disk by then.
    for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
    aborting.abort(goneAway);
    await new Promise<never>(() => {});
  }
  note({ deed: 'writing', key });
  const writing = store.write(source(), { label: () => key, signal: aborting.signal });
  await assert.rejects(writing, goneAway);
}

/** Reads the blob `id`, whole, and compares each byte with what its label says. */
export async function lookAt(store: BlobStore, id: BlobId): Promise<SeenBlob> {
  try {
    const { label, sizeBytes } = await store.describe(id);
    const key = label as BlobKey;
    const bytes = await readBytes(store, id, { offsetBytes: 0, lengthBytes: sizeBytes });
    assert.ok(Buffer.from(bytes).equals(bytesOfKey(key)), `the blob ${id} has wrong bytes`);
    return { key };
  } catch (error) {
    if (isStoreError(error, 'BlobNotFound')) return 'absent';
    if (isStoreError(error, 'BlobCorrupt')) return 'corrupt';
    throw error;
  }
}

/** All that a store lists, and `others`, read. */
export async function lookAtAll(
  store: BlobStore,
  others: Iterable<BlobId> = [],
): Promise<SeenBlobs> {
  const listed = new Map<BlobId, SeenBlob>();
  for await (const { id } of store.list()) {
    assert.ok(!listed.has(id), `the blob ${id} is listed twice`);
    listed.set(id, await lookAt(store, id));
  }
  const unlisted = new Map<BlobId, SeenBlob>();
  for (const id of others) if (!listed.has(id)) unlisted.set(id, await lookAt(store, id));
  return { listed, unlisted };
}

/** Whether anything leaks is looked at in one of so many states: it takes a second opening. */
const leakStride = 3;

/** A workload on a volume, of which blobs are judged. */
export function blobExploration(
  work: (stage: Stage<BlobNote>) => Promise<void>,
): Exploration<BlobNote, SeenBlobs> {
  const known = new Set<BlobId>();
  let observed = 0;
  const learn = (note: BlobNote) => {
    if (note.deed === 'written') known.add(note.id);
    if (note.deed === 'removing') for (const id of note.ids) known.add(id);
  };
  const learning = (stage: Stage<BlobNote>): Stage<BlobNote> => ({
    ...stage,
    note: (note) => {
      learn(note);
      stage.note(note);
    },
  });
  return {
    run: (stage) => work(learning(stage)),
    observe: async (files) => {
      const volume = await openVolume(files);
      const seen = await lookAtAll(volume.blobs, known);
      await useAgain(volume, seen, known);
      observed += 1;
      if (observed % leakStride === 0) await assertNothingLeaks(files, volume);
      return seen;
    },
    judge: (seen, notes) => new BlobExpectation(notes).judge(seen),
    resume: async (stage) => {
      const { blobs } = await openVolume(stage.files);
      const listed = await Array.fromAsync(blobs.list());
      const { note } = learning(stage);
      const [first] = listed;
      if (first !== undefined) await removeAll(blobs, [first.id], { note });
      await writeAll(blobs, ['300-901'], { note });
    },
  };
}

/** A store that was opened after a crash takes writes and gives them back, under ids of their own. */
async function useAgain(
  { blobs }: OpenVolume,
  seen: SeenBlobs,
  known: ReadonlySet<BlobId>,
): Promise<void> {
  const keys: BlobKey[] = ['0-900', '700-900'];
  const ids = await writeAll(blobs, keys, { note: () => undefined });
  for (const [index, id] of ids.entries()) {
    assert.ok(!known.has(id) && !seen.listed.has(id), `the id ${id} was given before`);
    assert.deepEqual(await lookAt(blobs, id), { key: keys[index] });
  }
}

/** Once everything was removed, and the store opened again, there are no files of blobs. */
async function assertNothingLeaks(files: SimulatedFiles, volume: OpenVolume): Promise<void> {
  for await (const { id } of volume.blobs.list()) await volume.blobs.remove(id);
  await volume[Symbol.asyncDispose]();
  const again = await openVolume(files);
  assert.deepEqual(await Array.fromAsync(again.blobs.list()), []);
  await again[Symbol.asyncDispose]();
  const kept = [...volume.log.events, ...again.log.events].flatMap(({ event, facts }) =>
    event === 'segment.damaged' ? [layout.segment(Number(facts['segment']))] : [],
  );
  assert.deepEqual(
    strayFiles(files).filter((path) => !kept.includes(path)),
    [],
    'no file stays',
  );
}

/** A volume that is closed at the end. */
export async function onVolume(
  files: Files,
  work: (volume: OpenVolume) => Promise<void>,
): Promise<void> {
  const volume = await openVolume(files);
  await work(volume);
  await volume[Symbol.asyncDispose]();
}
