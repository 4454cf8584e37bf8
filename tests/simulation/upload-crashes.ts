import assert from 'node:assert/strict';
import { ArchiveVerification } from '../../src/domain/archive-verification.ts';
import { sampleBytes } from '../../src/storage/blob-specimen.ts';
import type { Rows } from '../../src/storage/metadata-store.ts';
import type { ArchiveBlob, ArchiveRow, PartRow } from '../../src/storage/rows.ts';
import { goingOn, photos } from '../support/domain.ts';
import { completionOf, initiate, partOf } from '../support/domain-uploads.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';
import type { Store } from './archive-crashes.ts';
import type { Stage } from './explore.ts';

/** The bytes of a part: its size, and a seed. An archive is the parts that it is made of. */
export type PartKey = `${number}-${number}`;

/** What a client does with an upload, before it does so, and what it was told. */
export type UploadNote =
  | { readonly created: 'vault' }
  /** Noted again by who finds it open: then what was to be its end has not come to pass. */
  | { readonly initiated: string }
  | { readonly putting: PartKey; readonly uploadId: string; readonly index: number }
  | { readonly put: PartKey; readonly uploadId: string; readonly index: number }
  | { readonly completing: string }
  | { readonly completed: string; readonly archiveId: string }
  /** Somebody has seen the archive: it counts as stored, whether its upload was answered or not. */
  | { readonly seen: string; readonly keys: string }
  | { readonly aborting: string }
  | { readonly aborted: string }
  | { readonly removing: string }
  | { readonly removed: string };

/** The open uploads with their parts, and the archives, by what they are made of. */
export interface SeenUploads {
  readonly uploads: ReadonlyMap<string, readonly (PartKey | undefined)[]>;
  readonly archives: ReadonlyMap<string, string>;
}

type Noting = Pick<Stage<UploadNote>, 'note'>;

const bytesByKey = new Map<PartKey, { readonly bytes: Uint8Array; readonly treeHash: string }>();

function contentOf(key: PartKey) {
  const known = bytesByKey.get(key);
  if (known !== undefined) return known;
  const [size = 0, seed = 0] = key.split('-').map(Number);
  const bytes = sampleBytes(size, seed);
  const content = { bytes, treeHash: treeHashOf(bytes) };
  bytesByKey.set(key, content);
  return content;
}

export async function initiateUpload(store: Store, { note }: Noting): Promise<string> {
  const uploadId = await initiate(store);
  note({ initiated: uploadId });
  return uploadId;
}

export async function putPart(
  { uploads }: Store,
  {
    uploadId,
    index,
    key,
  }: { readonly uploadId: string; readonly index: number; readonly key: PartKey },
  { note }: Noting,
): Promise<void> {
  note({ putting: key, uploadId, index });
  const { bytes, treeHash } = contentOf(key);
  const answer = await uploads.putPart(
    // The store may take the memory of what it is given away.
    partOf(uploadId, index * mebibyte, Uint8Array.from(bytes)),
  );
  assert.equal(answer.treeHash, treeHash);
  note({ put: key, uploadId, index });
}

export async function completeUpload(
  { uploads }: Store,
  { uploadId, keys }: { readonly uploadId: string; readonly keys: readonly PartKey[] },
  { note }: Noting,
): Promise<string> {
  note({ completing: uploadId });
  const whole = Buffer.concat(keys.map((key) => contentOf(key).bytes));
  const { archiveId } = await uploads.complete(completionOf(uploadId, whole));
  note({ completed: uploadId, archiveId });
  return archiveId;
}

export async function abortUpload(
  { uploads }: Store,
  uploadId: string,
  { note }: Noting,
): Promise<void> {
  note({ aborting: uploadId });
  await uploads.abort({ vault: photos, uploadId });
  note({ aborted: uploadId });
}

/** Looks at all uploads and archives: no row may be without its bytes, and no label say otherwise. */
export async function lookAtUploads(store: Store): Promise<SeenUploads | undefined> {
  const found = await store.store.read(readAll);
  if (found === undefined) return undefined;
  const uploads = new Map<string, readonly (PartKey | undefined)[]>();
  for (const { uploadId, parts } of found.uploads) {
    const keys: (PartKey | undefined)[] = [];
    for (const part of parts) keys[part.index] = await lookAtPart(store, part);
    uploads.set(uploadId, keys);
  }
  const archives = new Map<string, string>();
  for (const { archive, parts } of found.archives) {
    const verification = new ArchiveVerification({ ...store, archive, parts });
    const { bytesRead: _bytes, ...outcome } = await verification.advance(goingOn);
    assert.deepEqual(outcome, { kind: 'verified' });
    const keys = parts.slice(0, -1).map(({ treeHash }) => keyOf(treeHash));
    archives.set(archive.archiveId, keys.join('+'));
  }
  assert.equal(
    found.archiveCount,
    archives.size,
    'the totals of a vault are those of its archives',
  );
  return { uploads, archives };
}

async function readAll(rows: Rows) {
  const vault = await rows.vaults.get(photos);
  if (vault === undefined) return undefined;
  const { vaultId, changes: asOfChange, archiveCount } = vault;
  const bounds = { createdFromMs: null, createdBeforeMs: null, after: null, limit: 100 };
  const archives: { archive: ArchiveRow; parts: readonly ArchiveBlob[] }[] = [];
  const listed = await rows.archives.listForInventory({ vaultId, asOfChange, ...bounds });
  for (const archive of listed.archives) {
    archives.push({ archive, parts: await rows.archives.blobs(archive.archiveId) });
  }
  const open = { vaultId, idleSinceMs: Number.MIN_SAFE_INTEGER, after: null, limit: 100 };
  const uploads: { uploadId: string; parts: readonly PartRow[] }[] = [];
  for (const { uploadId } of await rows.uploads.list(open)) {
    const parts = await rows.uploads.listParts({ uploadId, after: null, limit: 100 });
    uploads.push({ uploadId, parts });
  }
  return { archives, uploads, archiveCount };
}

async function lookAtPart(
  { blobs }: Store,
  { blobId, sizeBytes, treeHash }: PartRow,
): Promise<PartKey> {
  const chunks: Buffer[] = [];
  for await (const chunk of blobs.read(blobId, { offsetBytes: 0, lengthBytes: sizeBytes })) {
    chunks.push(Buffer.from(chunk));
  }
  const key = keyOf(treeHash);
  assert.ok(Buffer.concat(chunks).equals(contentOf(key).bytes), `the part ${key} has wrong bytes`);
  return key;
}

function keyOf(treeHash: string | null): PartKey {
  for (const [key, content] of bytesByKey) if (content.treeHash === treeHash) return key;
  assert.fail(`nobody put a part with the tree hash ${treeHash}`);
}

/** What a client knows of an upload. */
interface KnownUpload {
  readonly acknowledged: PartKey[];
  /** By index: what was on its way when the machine died, or may have been. */
  readonly pending: Set<PartKey>[];
  state: 'open' | 'completing' | 'completed' | 'aborting' | 'aborted';
}

/** Throws unless what was acknowledged is there, and nothing else but what was under way. */
export function judgeUploads(seen: SeenUploads | undefined, notes: readonly UploadNote[]): void {
  const known = new UploadsKnown();
  for (const note of notes) known.add(note);
  known.judge(seen);
}

class UploadsKnown {
  readonly #uploads = new Map<string, KnownUpload>();
  /** Archives and what they are made of; those that are being removed are in doubt. */
  readonly #archives = new Map<string, { readonly keys: string; state: 'stored' | 'removing' }>();
  #isVaultCreated = false;

  add(note: UploadNote): void {
    if ('created' in note) this.#isVaultCreated = true;
    else if ('initiated' in note) {
      const known = this.#uploads.get(note.initiated) ?? { acknowledged: [], pending: [] };
      this.#uploads.set(note.initiated, { ...known, state: 'open' });
    } else if ('putting' in note) {
      const { pending } = this.#upload(note.uploadId);
      const before = pending[note.index] ?? [];
      pending[note.index] = new Set([...before, note.putting]);
    } else if ('put' in note) {
      const { acknowledged, pending } = this.#upload(note.uploadId);
      acknowledged[note.index] = note.put;
      pending[note.index]?.delete(note.put);
    } else if ('completing' in note) this.#upload(note.completing).state = 'completing';
    else if ('completed' in note) {
      const upload = this.#upload(note.completed);
      upload.state = 'completed';
      const keys = upload.acknowledged.join('+');
      this.#archives.set(note.archiveId, { keys, state: 'stored' });
    } else if ('aborting' in note) this.#upload(note.aborting).state = 'aborting';
    else if ('aborted' in note) this.#upload(note.aborted).state = 'aborted';
    else if ('seen' in note) this.#archives.set(note.seen, { keys: note.keys, state: 'stored' });
    else if ('removing' in note) this.#remove(note.removing);
    else this.#archives.delete(note.removed);
  }

  judge(seen: SeenUploads | undefined): void {
    if (this.#isVaultCreated) assert.ok(seen, 'the vault is lost');
    const { uploads, archives } = seen ?? { uploads: new Map(), archives: new Map() };
    const unexplained = new Map(archives);
    for (const [archiveId, { keys, state }] of this.#archives) {
      if (state === 'stored') assert.equal(archives.get(archiveId), keys, 'an archive is lost');
      if (archives.get(archiveId) === keys) unexplained.delete(archiveId);
    }
    for (const [uploadId, upload] of this.#uploads) {
      const parts = uploads.get(uploadId);
      if (parts !== undefined) judgeParts(parts, upload);
      else if (upload.state === 'open') assert.fail('an upload is lost');
      else if (upload.state === 'completing') {
        const keys = upload.acknowledged.join('+');
        const made = [...archives.keys()].find((archiveId) => archives.get(archiveId) === keys);
        assert.ok(made !== undefined, 'an upload is neither open nor an archive');
        unexplained.delete(made);
      }
    }
    for (const uploadId of uploads.keys()) {
      // One whose beginning was under way is empty.
      const isKnown = this.#uploads.has(uploadId) || uploads.get(uploadId)?.length === 0;
      assert.ok(isKnown, 'an upload with parts is there that nobody has begun');
    }
    assert.deepEqual([...unexplained.values()], [], 'an archive is there that nobody has made');
  }

  #remove(archiveId: string): void {
    const archive = this.#archives.get(archiveId);
    if (archive !== undefined) archive.state = 'removing';
  }

  #upload(uploadId: string): KnownUpload {
    const upload = this.#uploads.get(uploadId);
    assert.ok(upload, 'an upload is begun first');
    return upload;
  }
}

/** An upload that is open has each part that was acknowledged, or one that was put in its place. */
function judgeParts(
  seen: readonly (PartKey | undefined)[],
  { acknowledged, pending, state }: KnownUpload,
): void {
  assert.ok(state !== 'completed' && state !== 'aborted', `an upload that was ${state} is open`);
  for (let index = 0; index < Math.max(seen.length, acknowledged.length); index += 1) {
    const key = seen[index];
    const isPending = key !== undefined && pending[index]?.has(key) === true;
    if (!isPending) assert.equal(key, acknowledged[index], `part ${index} is not what it was`);
  }
}
