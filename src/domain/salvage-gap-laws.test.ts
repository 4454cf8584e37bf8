import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Domain, goingOn, photos, runUntilIdle } from '../../tests/support/domain.ts';
import { completionOf, cut, initiate, partOf } from '../../tests/support/domain-uploads.ts';
import { afterLoss, passWeeks } from '../../tests/support/lost-batches.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { defined } from '../lib/assert.ts';
import { listIds } from '../storage/blob-specimen.ts';
import type { MemoryJournal } from '../storage/memory/memory-journal.ts';
import { DiscardUploads } from '../workers/discard-uploads.ts';
import { ForgetArchives } from '../workers/forget-archives.ts';
import { ArchiveVerification } from './archive-verification.ts';
import { salvage } from './salvage.ts';

fc.configureGlobal({ seed: 20_260_131 });

/** One thing that is done; numbers choose among what there is at the time. */
type Deed = readonly [
  kind:
    | 'initiate'
    | 'put'
    | 'complete'
    | 'abort'
    | 'remove'
    | 'discard'
    | 'forget'
    | 'move'
    | 'leave a copy'
    | 'sweep up',
  which: number,
  what: number,
];

const deed: fc.Arbitrary<Deed> = fc.tuple(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant('initiate' as const) },
    { weight: 12, arbitrary: fc.constant('put' as const) },
    { weight: 4, arbitrary: fc.constant('complete' as const) },
    { weight: 4, arbitrary: fc.constantFrom('remove' as const, 'forget' as const) },
    {
      weight: 5,
      arbitrary: fc.constantFrom('abort', 'discard', 'move', 'leave a copy', 'sweep up'),
    },
  ),
  fc.nat(),
  fc.nat(),
);

/** The parts of an upload by their places; those before the last are full. */
const partCount = 3;
/** What is put: two contents of one size and, in the last place, another one that is longer. */
const contents = [1, 2, 3].map((seed) => Buffer.alloc(mebibyte, seed));

function bytesOf(index: number, what: number): Uint8Array {
  const content = defined(contents[what % contents.length], 'a content');
  return index < partCount - 1 ? content : content.subarray(0, 9 + (what % 2));
}

interface LiveUpload {
  readonly uploadId: string;
  readonly parts: Map<number, Uint8Array>;
  isOpen: boolean;
}

/** What was acknowledged. */
class History {
  readonly uploads: LiveUpload[] = [];
  /** Archives that are in the vault. */
  readonly archives = new Set<string>();
  readonly #domain: Domain;
  readonly #journal: MemoryJournal;
  /** The batches of the journal, by what was done. */
  readonly #batches = new Map<string, number[]>();

  constructor(domain: Domain, journal: MemoryJournal) {
    this.#domain = domain;
    this.#journal = journal;
    this.#batches.set('create', [journal.lastSequence]);
  }

  /** One of some deed: those of rare ones are chosen as often as others. */
  batchToLose(choice: number): number {
    const lists = [...this.#batches.values()];
    const list = defined(lists[choice % lists.length], 'a list of batches');
    return defined(list[Math.floor(choice / lists.length) % list.length], 'a batch');
  }

  async take(taken: Deed): Promise<void> {
    const before = this.#journal.lastSequence;
    await this.#take(taken);
    for (let batch = before + 1; batch <= this.#journal.lastSequence; batch += 1) {
      const [kind] = taken;
      this.#batches.set(kind, [...(this.#batches.get(kind) ?? []), batch]);
    }
  }

  async #take([kind, which, what]: Deed): Promise<void> {
    const domain = this.#domain;
    const open = this.uploads.filter(({ isOpen }) => isOpen);
    const upload = open[which % Math.max(1, open.length)];
    const archiveId = [...this.archives][which % Math.max(1, this.archives.size)];
    const blobIds = await listIds(domain.blobs);
    const blobId = blobIds[which % Math.max(1, blobIds.length)];
    domain.clock.advance(1000);
    if (kind === 'initiate') {
      // Few, so that parts meet in them.
      if (open.length > 1) return;
      const uploadId = await initiate(domain);
      this.uploads.push({ uploadId, parts: new Map(), isOpen: true });
    } else if (kind === 'put' && upload) await this.#put(upload, what);
    else if (kind === 'complete' && upload) await this.#complete(upload);
    else if (kind === 'abort' && upload) {
      await domain.uploads.abort({ vault: photos, uploadId: upload.uploadId });
      upload.isOpen = false;
    } else if (kind === 'remove' && archiveId !== undefined) {
      await domain.archives.remove(photos, archiveId);
      this.archives.delete(archiveId);
    } else if (kind === 'discard') await runUntilIdle(new DiscardUploads(domain));
    else if (kind === 'forget') await runUntilIdle(new ForgetArchives(domain));
    else if (kind === 'leave a copy' && blobId !== undefined) await domain.blobs.duplicate(blobId);
    else if (kind === 'move' && blobId !== undefined) {
      const to = await domain.blobs.duplicate(blobId);
      const isMoved = await domain.store.write(({ blobs }) => blobs.repoint(blobId, to));
      await domain.blobs.remove(isMoved ? blobId : to);
    } else if (kind === 'sweep up') await this.#removeUnnamed();
  }

  async #put({ uploadId, parts }: LiveUpload, what: number): Promise<void> {
    const index = what % partCount;
    const bytes = bytesOf(index, Math.floor(what / partCount));
    await this.#domain.uploads.putPart(partOf(uploadId, index * mebibyte, bytes));
    parts.set(index, bytes);
  }

  /** Puts what is missing, and makes it the archive. */
  async #complete(upload: LiveUpload): Promise<void> {
    const { uploadId, parts } = upload;
    for (let index = 0; index < partCount; index += 1) {
      if (!parts.has(index)) await this.#put(upload, index);
    }
    const bytes = [0, 1, 2].map((index) => defined(parts.get(index), 'a part'));
    const whole = Buffer.concat(bytes);
    assert.equal(cut(whole).length, partCount);
    const { archiveId } = await this.#domain.uploads.complete(completionOf(uploadId, whole));
    this.archives.add(archiveId);
    upload.isOpen = false;
  }

  /** As the sweeper, without its grace. */
  async #removeUnnamed(): Promise<void> {
    const { blobs, store } = this.#domain;
    for (const id of await listIds(blobs)) {
      const isNamed = await store.read((rows) => rows.blobs.isReferenced(id));
      if (!isNamed) await blobs.remove(id);
    }
  }
}

/** The archives that are in the vault by their rows: whether each can be read whole. */
async function soundnessOf({ store, blobs }: Domain): Promise<Map<string, boolean>> {
  const listed = await store.read(({ verifications }) =>
    verifications.list({ afterOrdinal: 0, limit: 1000 }),
  );
  const found = new Map<string, boolean>();
  for (const { archive, blobs: parts } of listed) {
    if (archive.removedChange !== null) continue;
    const verification = new ArchiveVerification({ store, blobs, archive, parts });
    const { kind } = await verification.advance(goingOn);
    found.set(archive.archiveId, kind === 'verified');
  }
  return found;
}

test('whichever batch is lost, each archive is whole weeks later, and what is not is told', async () => {
  const seen = { whole: 0, incomplete: 0, mended: 0, made: 0 };
  const deeds = fc.array(deed, { minLength: 20, maxLength: 50, size: 'max' });
  await fc.assert(
    fc.asyncProperty(deeds, fc.nat(), async (taken, lost) => {
      let history: History | undefined;
      await afterLoss(
        async (domain, journal) => {
          history = new History(domain, journal);
          for (const each of taken) await history.take(each);
          return [history.batchToLose(lost)];
        },
        async ({ domain, report }) => {
          const told = report.archivesIncomplete.map(({ archiveId }) => archiveId);
          const { archives } = defined(history, 'a history');
          seen.incomplete += told.length;
          seen.mended += report.archivesRepointed;
          seen.made += report.archivesMade;
          for (const archiveId of archives) assert.ok(!told.includes(archiveId), 'it was not lost');
          const { archivesMade, archivesRepointed, ...again } = await salvage({
            ...domain,
            signal: goingOn,
          });
          assert.deepEqual([archivesMade, archivesRepointed, again.partsRepointed], [0, 0, 0]);
          assert.deepEqual(again.archivesIncomplete, report.archivesIncomplete);
          await passWeeks(domain);
          const soundness = await soundnessOf(domain);
          for (const archiveId of archives) assert.equal(soundness.get(archiveId), true, archiveId);
          for (const [archiveId, isSound] of soundness) {
            assert.ok(isSound || told.includes(archiveId), `${archiveId} is not told`);
          }
          seen.whole += archives.size;
        },
      );
    }),
    { numRuns: 60 },
  );
  assert.ok(Math.min(...Object.values(seen)) > 0, JSON.stringify(seen));
});
