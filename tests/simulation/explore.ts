import { assert } from '../../src/lib/assert.ts';
import type { Files } from '../../src/storage/disk/files.ts';
import { SimulatedFiles } from '../../src/storage/disk/simulated-files.ts';
import {
  type CrashEffort,
  type CrashState,
  crashStates,
} from '../../src/storage/disk/simulated-files-crash.ts';
import { DiskImage, type DiskTree } from '../../src/storage/disk/simulated-files-image.ts';
import {
  DiskTrace,
  replay,
  type TraceEvent,
} from '../../src/storage/disk/simulated-files-trace.ts';
import { seededDraw } from './seeded-draw.ts';

/** Where a workload does its work, and tells what it was promised meanwhile. */
export interface Stage<Note> {
  readonly files: Files;
  /** Tells what is begun, before it is, and what was acknowledged, as soon as it was. */
  note(note: Note): void;
  /** What came before was preparation: no crash is tried there. */
  begin(): void;
  /** Set where things are made to fail: waits for what may, and answers nothing when it did. */
  attempt?<T>(work: Promise<T>): Promise<T | undefined>;
  /** Set where things are made to fail: from now on nothing does. Whether no sync has failed. */
  calm?(): boolean;
}

/** A workload, and what must hold after a crash at any moment of it. */
export interface Exploration<Note, Seen> {
  run(stage: Stage<Note>): Promise<void>;
  /** Opens what a crash has left, looks at all of it, and uses it. Throws when that fails. */
  observe(files: SimulatedFiles): Promise<Seen>;
  /** Throws unless `notes` allow what was seen. */
  judge(seen: Seen, notes: readonly Note[]): void;
  /**
   * Opens what a crash, or the death of the process, has left, and works on for a little: crashes
   * are tried in there, too. `note` tells what is promised anew.
   */
  resume?(stage: Stage<Note>): Promise<void>;
}

/** How much is tried. */
export interface Effort extends Omit<CrashEffort, 'draw'> {
  readonly seed: number;
  /** A second crash, while the store opens, is tried in one of so many states. */
  readonly resumeStride: number;
  /** The process dies, and the machine after the next start, in one of so many moments. */
  readonly killStride: number;
  /** Of the states after a second crash so many are tried: one in so many. */
  readonly secondStride: number;
}

/** What the tests try each time they run. */
export const everyday: Effort = {
  seed: 20_260_301,
  subsetsOf: 8,
  samples: 24,
  cuts: 4,
  resumeStride: 40,
  killStride: 4,
  secondStride: 6,
};

/** Far more, for who has the time. */
export const thorough: Effort = {
  seed: 20_260_301,
  subsetsOf: 10,
  samples: 200,
  cuts: 16,
  resumeStride: 10,
  killStride: 1,
  secondStride: 1,
};

/** Whether the tests shall try all that they can, as `npm run simulate -- --thorough` has them do. */
export function isThorough(): boolean {
  return process.env['FIRN_TEST_THOROUGH'] === 'yes';
}

/** How much was explored: compared with a floor, so that it cannot shrink unnoticed. */
export interface Explored {
  /** Moments at which a crash was tried. */
  readonly crashPoints: number;
  /** States of the disk that differ, and were opened and looked at. */
  readonly states: number;
  /** Pairs of a state and of what was promised by then. */
  readonly verdicts: number;
  /** States of the disk after a second crash, while the store opened and worked on. */
  readonly secondStates: number;
}

/**
 * Runs a workload once, and then lets the machine die at every moment of it, in all ways that
 * `crashStates` knows of. What is left must open and hold what was promised by that moment.
 * `change` is to what the tests try each time: for workloads whose states take long to look at.
 */
export async function explore<Note, Seen>(
  exploration: Exploration<Note, Seen>,
  change: Partial<Effort> = {},
): Promise<Explored> {
  const effort = isThorough() ? thorough : { ...everyday, ...change };
  const trace = new DiskTrace<Note>();
  let begin = 0;
  const files = new SimulatedFiles('/', { trace });
  await exploration.run({
    files,
    note: (note) => trace.note(note),
    begin: () => {
      begin = trace.events.length;
    },
  });
  return await new Explorer(exploration, { trace, effort }).explore(begin);
}

class Explorer<Note, Seen> {
  readonly #exploration: Exploration<Note, Seen>;
  readonly #trace: DiskTrace<Note>;
  readonly #effort: Effort;
  readonly #draw: CrashEffort['draw'];
  readonly #seen = new Map<string, Seen>();
  #crashPoints = 0;
  #verdicts = 0;
  #secondStates = 0;

  constructor(
    exploration: Exploration<Note, Seen>,
    { trace, effort }: { trace: DiskTrace<Note>; effort: Effort },
  ) {
    this.#exploration = exploration;
    this.#trace = trace;
    this.#effort = effort;
    this.#draw = seededDraw(effort.seed);
  }

  async explore(begin: number): Promise<Explored> {
    const image = this.#trace.start.copy();
    const notes: Note[] = [];
    /** What was judged since the last note: the verdict on a state changes with a note only. */
    let judged = new Set<string>();
    for (const [at, event] of this.#trace.events.entries()) {
      replay(image, event);
      if (event.kind === 'note') {
        notes.push(event.note);
        judged = new Set();
      }
      if (at + 1 < begin || event.kind === 'node') continue;
      this.#crashPoints += 1;
      for (const state of crashStates(image, { ...this.#effort, draw: this.#draw })) {
        if (judged.has(state.fingerprint)) continue;
        judged.add(state.fingerprint);
        await this.#crash(state, { at, image, notes });
      }
      if (this.#crashPoints % this.#effort.killStride === 0) await this.#resume(image, notes);
    }
    return {
      crashPoints: this.#crashPoints,
      states: this.#seen.size,
      verdicts: this.#verdicts,
      secondStates: this.#secondStates,
    };
  }

  async #crash(state: CrashState, { at, image, notes }: Moment<Note>): Promise<void> {
    this.#verdicts += 1;
    try {
      let seen = this.#seen.get(state.fingerprint);
      if (seen === undefined) {
        seen = await this.#exploration.observe(afterCrash(state.tree));
        this.#seen.set(state.fingerprint, seen);
      }
      this.#exploration.judge(seen, notes);
    } catch (cause) {
      const events = this.#trace.events.slice(0, at + 1);
      throw new Error(report(state, { events, image, notes }), { cause });
    }
    if (this.#verdicts % this.#effort.resumeStride === 0) {
      await this.#resume(new DiskImage(state.tree), notes);
    }
  }

  /** Goes on with a disk as it was found, and dies at every moment of that. */
  async #resume(found: DiskImage, notesBefore: readonly Note[]): Promise<void> {
    const { resume, observe, judge } = this.#exploration;
    if (resume === undefined) return;
    const trace = new DiskTrace<Note>(found);
    const files = new SimulatedFiles('/', { image: found, trace });
    await resume({ files, note: (note) => trace.note(note), begin: () => undefined });
    const image = found.copy();
    const notes = [...notesBefore];
    const effort = { ...this.#effort, subsetsOf: 3, samples: 2, cuts: 1, draw: this.#draw };
    const tried = new Set<string>();
    for (const [at, event] of trace.events.entries()) {
      replay(image, event);
      if (event.kind === 'note') notes.push(event.note);
      for (const state of crashStates(image, effort)) {
        const key = `${notes.length}\n${state.fingerprint}`;
        if (tried.has(key)) continue;
        tried.add(key);
        if (tried.size % this.#effort.secondStride !== 0) continue;
        this.#secondStates += 1;
        try {
          judge(await observe(afterCrash(state.tree)), notes);
        } catch (cause) {
          const events = trace.events.slice(0, at + 1);
          const message = report(state, { events, image, notes });
          throw new Error(`After a first crash, or the death of the process: ${message}`, {
            cause,
          });
        }
      }
    }
  }
}

interface Moment<Note> {
  readonly at: number;
  readonly image: DiskImage;
  readonly notes: readonly Note[];
}

function afterCrash(tree: DiskTree): SimulatedFiles {
  return new SimulatedFiles('/', { image: new DiskImage(tree) });
}

function report<Note>(
  { fates, tree }: CrashState,
  {
    events,
    image,
    notes,
  }: Omit<Moment<Note>, 'at'> & { readonly events: readonly TraceEvent<Note>[] },
): string {
  const texts = new Map<number, string>();
  for (const event of events) {
    if (event.kind === 'change') texts.set(event.change.number, event.text);
  }
  return [
    `A crash after event ${events.length} breaks a promise.`,
    'The last events:',
    ...events.slice(-24).flatMap((event) => {
      if (event.kind === 'node') return [];
      return [event.kind === 'note' ? `  * ${JSON.stringify(event.note)}` : `  ${event.text}`];
    }),
    'Not synced by then:',
    ...image.pending.map(({ number }, index) => {
      return `  ${fates[index]}: ${texts.get(number) ?? `change ${number}, of before`}`;
    }),
    'Left on the disk:',
    ...[...tree.files()].map(([path, node]) => `  ${path}, ${tree.contentOf(node).length} bytes`),
    `Notes: ${notes.map((note) => JSON.stringify(note)).join(' ')}`,
  ].join('\n');
}

/** What was explored, in a sentence; throws when that is less than it was. */
export function assertExplored(explored: Explored, floor: Partial<Explored>): string {
  for (const [what, least] of Object.entries(floor)) {
    const found = explored[what as keyof Explored];
    assert(found >= least, `explored ${found} ${what}, and they were ${least} at least`);
  }
  const { crashPoints, states, verdicts, secondStates } = explored;
  return (
    `${crashPoints} crash points, ${states} states of the disk, ${verdicts} verdicts, ` +
    `${secondStates} states after a second crash`
  );
}
