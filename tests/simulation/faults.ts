import { FaultyFiles, type FileDeed, fileError } from '../../src/storage/disk/faulty-files.ts';
import { type Dropped, SimulatedFiles } from '../../src/storage/disk/simulated-files.ts';
import { isStoreError } from '../../src/storage/errors.ts';
import type { Exploration } from './explore.ts';
import { seededDraw } from './seeded-draw.ts';

/** A way in which one thing that is asked of the file system fails. */
interface Fault {
  /** Counted from the beginning of the workload. */
  readonly deedNumber: number;
  readonly code: 'EIO' | 'ENOSPC';
  /** Whether all that is like it fails from then on, too. */
  readonly isLasting: boolean;
  /** Of a sync: what becomes of the bytes that it was to make durable. */
  readonly dropped: Dropped | 'kept';
}

/** What needs room, and so may find none. */
const roomDeeds: readonly FileDeed[] = ['create', 'write', 'rename', 'makeDirectory', 'truncate'];

/** Each changes the disk, or makes it durable; the others only look. */
const changingDeeds: readonly FileDeed[] = [...roomDeeds, 'unlink', 'sync', 'syncDirectory'];

/** How much was tried. */
export interface Injected {
  /** Things that were asked of the file system while all went well. */
  readonly deeds: number;
  readonly faults: number;
  /** States of the disk that were opened and looked at afterwards. */
  readonly states: number;
}

/**
 * Runs a workload once for each thing that it asks of the file system, and lets that fail: with an
 * error of the device, without room, once or from then on; a sync also so that the bytes are gone.
 *
 * Each is survivable: what failed is told to who waits for it, and nothing else may depend on it. A
 * sync that fails may have lost the bytes without ever telling again, so after one a store must not
 * believe its own reads, nor a later sync. After each run the process dies, and the machine with it:
 * nothing, all or some of what was not synced survives (each of the three where `isThorough`, else
 * in turns). What is left must open and hold what was promised.
 *
 * What the exploration runs has to go on when an `attempt` has failed, and to say, by `begin`, from
 * where on nothing but attempts may fail.
 */
export async function injectFaults<Note, Seen>(
  exploration: Exploration<Note, Seen>,
  { isThorough = false }: { isThorough?: boolean } = {},
): Promise<Injected> {
  const draw = seededDraw(20_260_302);
  const deeds = (await runWith(exploration, undefined)).deeds;
  let faults = 0;
  let states = 0;
  for (const fault of deeds.flatMap((deed, number) => faultsOf(deed, number))) {
    faults += 1;
    const survivals = ['all', 'none', 'some'] as const;
    for (const [index, survival] of survivals.entries()) {
      if (!isThorough && index !== faults % survivals.length) continue;
      try {
        const { files, notes } = await runWith(exploration, fault);
        // Of what the process left in the system's memory, all is still to come, or not.
        if (survival !== 'all') files.crash(() => survival === 'some' && draw(2) === 0);
        exploration.judge(await exploration.observe(files), notes);
        states += 1;
      } catch (cause) {
        const { deedNumber, code, isLasting, dropped } = fault;
        const what = `${deeds[deedNumber]} (number ${deedNumber}) fails with ${code}`;
        const how = `${isLasting ? 'from then on' : 'once'}, unsynced bytes are ${dropped}`;
        throw new Error(`A promise is broken when ${what} ${how}; ${survival} survives`, { cause });
      }
    }
  }
  return { deeds: deeds.length, faults, states };
}

function faultsOf(deed: FileDeed, deedNumber: number): Fault[] {
  const faults: Fault[] = [];
  for (const isLasting of [false, true]) {
    const common = { deedNumber, isLasting, dropped: 'kept' } as const;
    faults.push({ ...common, code: 'EIO' });
    if (roomDeeds.includes(deed)) faults.push({ ...common, code: 'ENOSPC' });
  }
  if (deed === 'sync' || deed === 'syncDirectory') {
    const common = { deedNumber, code: 'EIO', isLasting: false } as const;
    faults.push({ ...common, dropped: 'unseen' }, { ...common, dropped: 'seen' });
  }
  return faults;
}

/** Runs the workload on a disk that fails once, or from then on. */
async function runWith<Note, Seen>(
  exploration: Exploration<Note, Seen>,
  fault: Fault | undefined,
): Promise<{ files: SimulatedFiles; notes: Note[]; deeds: FileDeed[] }> {
  const files = new SimulatedFiles('/');
  const notes: Note[] = [];
  const deeds: FileDeed[] = [];
  let struck: FileDeed | undefined;
  let isCalm = false;
  let isSound = true;
  const faulty = new FaultyFiles(files, (deed, path) => {
    deeds.push(deed);
    if (fault === undefined || isCalm) return;
    if (deeds.length - 1 === fault.deedNumber) struck = deed;
    else if (!fault.isLasting || struck === undefined || !isLike(struck, deed)) return;
    if (deed === 'sync' || deed === 'syncDirectory') isSound = false;
    if (fault.dropped !== 'kept') files.drop(path, fault.dropped);
    throw fileError(fault.code, deed);
  });
  let isOpening = true;
  try {
    await exploration.run({
      files: faulty,
      note: (note) => notes.push(note),
      begin: () => {
        isOpening = false;
      },
      attempt: async (work) => {
        try {
          return await work;
        } catch (error) {
          if (fault === undefined || !isStoreError(error)) throw error;
          return undefined;
        }
      },
      calm: () => {
        isCalm = true;
        return isSound;
      },
    });
  } catch (error) {
    // A store that cannot even open may say so. Whatever else it does, it has to tell as promised.
    if (fault === undefined || !isOpening || !isOfDisk(error)) throw error;
  }
  await faulty.cut();
  return { files, notes, deeds };
}

/** A device that fails does so with writes and syncs, or with reads; a full one with what needs room. */
function isLike(struck: FileDeed, deed: FileDeed): boolean {
  return changingDeeds.includes(struck) === changingDeeds.includes(deed);
}

/** Whether an error is of the kind that a store may throw because of its disk. */
export function isOfDisk(error: unknown): boolean {
  if (isStoreError(error)) return error.code !== 'Conflict';
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
