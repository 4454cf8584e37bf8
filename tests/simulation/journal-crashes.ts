import assert from 'node:assert/strict';
import { SimulatedClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { sampleBytes } from '../../src/storage/blob-specimen.ts';
import { DiskJournal } from '../../src/storage/disk/disk-journal.ts';
import { type Files, Layout } from '../../src/storage/disk/files.ts';
import { MasterKeys } from '../../src/storage/disk/master-keys.ts';
import { WriteGate } from '../../src/storage/disk/write-gate.ts';
import type { Journal } from '../../src/storage/journal.ts';
import { seededRandomBytes } from '../support/seeded-random.ts';
import type { Exploration, Stage } from './explore.ts';

/** What is begun with a journal, and what it has acknowledged. */
export type JournalNote =
  | { readonly appending: number }
  | { readonly appended: number }
  | { readonly forgetting: number };

/** What a journal hands out. */
export interface SeenJournal {
  readonly sequences: readonly number[];
  readonly damages: readonly string[];
  readonly lastSequence: number;
}

/** The sizes of batches, by their sequence numbers: within a sector, over some, over many. */
const batchSizes = [40, 700, 3000, 9000];

const payloads = new Map<number, Uint8Array>();

export function payloadOf(sequence: number): Uint8Array {
  let payload = payloads.get(sequence);
  if (payload === undefined) {
    payload = sampleBytes(batchSizes[sequence % batchSizes.length] ?? 0, sequence);
    payloads.set(sequence, payload);
  }
  return payload;
}

/** A file of the journal in these workloads takes two or three batches. */
const fileSizeBytesMin = 72 * 1024;

export async function openJournal(files: Files): Promise<Journal> {
  const layout = new Layout('/store');
  for (const directory of [layout.root, layout.version, layout.journal]) {
    await files.makeDirectory(directory);
  }
  for (const directory of [layout.version, layout.root, '/']) await files.syncDirectory(directory);
  return await DiskJournal.open({
    ...{ files, layout, fileSizeBytesMin },
    gate: new WriteGate(silentLog),
    storeId: '0123456789abcdef0123456789abcdef',
    masterKeys: new MasterKeys([new Uint8Array(32).fill(7)]),
    randomBytes: seededRandomBytes('journal'),
    clock: new SimulatedClock(),
    log: silentLog,
  });
}

export async function appendBatches(
  journal: Journal,
  count: number,
  { note, attempt, after = 0 }: Pick<Stage<JournalNote>, 'note' | 'attempt'> & { after?: number },
): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    const sequence = Math.max(journal.lastSequence, after) + 1;
    note({ appending: sequence });
    const appending = journal
      .append({ sequence, payload: payloadOf(sequence) })
      .then(() => note({ appended: sequence }));
    await (attempt?.(appending) ?? appending);
  }
}

export async function readJournal(journal: Journal): Promise<SeenJournal> {
  const sequences: number[] = [];
  const damages: string[] = [];
  for await (const item of journal.read(0)) {
    if ('damage' in item) {
      damages.push(item.damage);
      continue;
    }
    assert.deepEqual(Buffer.from(item.payload), Buffer.from(payloadOf(item.sequence)));
    sequences.push(item.sequence);
  }
  return { sequences, damages, lastSequence: journal.lastSequence };
}

/** Throws unless every batch that was acknowledged, and not forgotten, is there, in order. */
export function judgeJournal(seen: SeenJournal, notes: readonly JournalNote[]): void {
  const begun = new Set<number>();
  const appended = new Set<number>();
  let forgotten = 0;
  for (const note of notes) {
    if ('appending' in note) begun.add(note.appending);
    else if ('appended' in note) appended.add(note.appended);
    else forgotten = Math.max(forgotten, note.forgetting);
  }
  const { sequences, damages, lastSequence } = seen;
  assert.deepEqual(
    sequences,
    sequences.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(sequences).size, sequences.length, 'a batch comes once');
  for (const sequence of appended) {
    assert.ok(sequence <= forgotten || sequences.includes(sequence), `batch ${sequence} is lost`);
  }
  for (const sequence of sequences) assert.ok(begun.has(sequence), `batch ${sequence} is invented`);
  assert.deepEqual(
    damages.filter((damage) => !isOfForgotten(damage, forgotten)),
    [],
  );
  assert.equal(lastSequence, sequences.at(-1) ?? 0, 'the last sequence number is that of a batch');
}

/** Whether a report is of batches that nobody needs any more: what is left of them may be anything. */
function isOfForgotten(damage: string, forgotten: number): boolean {
  const [, first, last = first] = /^\D*(\d+)(?: to (\d+))? (?:is|are) lost/.exec(damage) ?? [];
  return last !== undefined && Number(last) <= forgotten;
}

/** A workload on a journal. */
export function journalExploration(
  work: (stage: Stage<JournalNote>) => Promise<void>,
): Exploration<JournalNote, SeenJournal> {
  return {
    run: work,
    observe: async (files) => {
      const journal = await openJournal(files);
      const seen = await readJournal(journal);
      await appendBatches(journal, 2, { note: () => undefined });
      await journal[Symbol.asyncDispose]();
      const again = await readJournal(await openJournal(files));
      const { lastSequence } = seen;
      const more = [lastSequence + 1, lastSequence + 2];
      assert.deepEqual(again.sequences, [...seen.sequences, ...more], 'appending works again');
      assert.deepEqual(again.damages, seen.damages);
      return seen;
    },
    judge: judgeJournal,
    resume: async (stage) => {
      const journal = await openJournal(stage.files);
      // What was read is as good as promised: rows are made of it, and shown.
      for (const sequence of (await readJournal(journal)).sequences) {
        stage.note({ appending: sequence });
        stage.note({ appended: sequence });
      }
      await appendBatches(journal, 1, stage);
    },
  };
}
