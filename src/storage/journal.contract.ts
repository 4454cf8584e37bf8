import assert from 'node:assert/strict';
import { sampleBytes } from './blob-specimen.ts';
import { type ContractCase, type ContractSubject, declareContract } from './contract-suite.ts';
import { isStoreError } from './errors.ts';
import type { Journal, JournalBatch } from './journal.ts';

/** An open journal and what can be done to it. A missing ability needs its cases excepted. */
export interface JournalSpecimen extends AsyncDisposable {
  /** The journal as it is open now: another one after `crash` and `reopen`. */
  readonly journal: Journal;
  /** Drops the journal as a power cut would, without closing it, and opens it again. */
  crash?(): Promise<void>;
  /** Closes the journal and opens it again. */
  reopen?(): Promise<void>;
  /** From now on there is room to write `bytes`, whatever they are; `Infinity` ends the shortage. */
  setRoom?(bytes: number): void;
  /** Whether syncs fail from now on. */
  setSyncsFail?(isFailing: boolean): void;
  /** One damage to each class of byte that is stored for a batch. */
  damages?(sequence: number): Promise<readonly BatchDamage[]>;
}

export interface BatchDamage {
  readonly what: string;
  /** Whether the batch can still be read, since the byte stands twice, or bears no meaning. */
  readonly isHarmless?: boolean;
  /** Does the damage; what it returns makes it good again. */
  apply(): Promise<() => Promise<void>>;
}

/** What every journal promises. Declares one test for each promise. */
export function journalContract(name: string, subject: ContractSubject<JournalSpecimen>): void {
  declareContract(name, [...orderCases, ...failureCases, ...crashCases], subject);
}

type JournalCase = ContractCase<JournalSpecimen>;

const orderCases: readonly JournalCase[] = [
  {
    title: 'a new journal holds no batch',
    run: async ({ journal }) => {
      assert.equal(journal.lastSequence, 0);
      await assertHolds(journal, []);
    },
  },
  {
    title: 'batches are read in their order, from any number on',
    run: async ({ journal }) => {
      await appendAll(journal, 1, 20);
      assert.equal(journal.lastSequence, 20);
      await assertHolds(journal, range(1, 20));
      for (const after of [1, 12, 19, 20, 21, 1000]) {
        await assertHolds(journal, range(after + 1, 20), after);
      }
    },
  },
  {
    title: 'a batch may be empty, or have megabytes',
    run: async ({ journal }) => {
      const sizes = [0, 1, 63, 64, 65, 3_000_000, 0];
      const payloads = sizes.map((size, index) => sampleBytes(size, index + 1));
      for (const [index, payload] of payloads.entries()) {
        await journal.append({ sequence: index + 1, payload });
      }
      const found = await Array.fromAsync(journal.read(0));
      for (const [index, part] of found.entries()) {
        assert.ok('payload' in part);
        assert.deepEqual(new Uint8Array(part.payload), payloads[index]);
      }
      assert.equal(found.length, sizes.length);
    },
  },
  {
    title: 'a batch stays as it was appended when the buffer it came in is used again',
    run: async ({ journal }) => {
      const payload = batch(1).payload.slice();
      await journal.append({ sequence: 1, payload });
      payload.fill(0xee);
      await assertHolds(journal, [1]);
    },
  },
  {
    title: 'numbers that were left out are reported, in their place',
    run: async ({ journal }) => {
      await appendAll(journal, 1, 3);
      await appendAll(journal, 7, 8);
      assert.deepEqual(await outline(journal, 0), [1, 2, 3, 'damage', 7, 8]);
      assert.deepEqual(await outline(journal, 4), ['damage', 7, 8]);
      assert.deepEqual(await outline(journal, 6), [7, 8]);
    },
  },
  {
    title: 'what is forgotten leaves what comes after it, and the last number',
    run: async (specimen) => {
      assert.ok(specimen.reopen, 'needs reopen');
      for (const first of [1, 4, 7]) {
        await appendAll(specimen.journal, first, first + 2);
        await specimen.reopen();
      }
      for (const through of [0, 2, 3, 5, 9]) {
        await specimen.journal.forget(through);
        await assertHolds(specimen.journal, range(through + 1, 9), through);
        await specimen.reopen();
        assert.equal(specimen.journal.lastSequence, 9);
        await assertHolds(specimen.journal, range(through + 1, 9), through);
      }
      await appendAll(specimen.journal, 10, 10);
      await assertHolds(specimen.journal, [10], 9);
    },
  },
];

const failureCases: readonly JournalCase[] = [
  {
    title: 'a batch that found no room leaves nothing, and its number may be used again',
    run: async (specimen) => {
      const { journal, setRoom } = specimen;
      assert.ok(setRoom && specimen.reopen, 'needs setRoom and reopen');
      await appendAll(journal, 1, 2);
      for (const room of [0, 10, 100, 400]) {
        setRoom(room);
        const refused = { sequence: 3, payload: sampleBytes(5000, 99) };
        await assert.rejects(journal.append(refused), (error) => isStoreError(error, 'StoreFull'));
        assert.equal(journal.lastSequence, 2);
        await assertHolds(journal, [1, 2]);
      }
      setRoom(Number.POSITIVE_INFINITY);
      await appendAll(journal, 3, 5);
      await assertHolds(journal, range(1, 5));
      await specimen.reopen();
      await assertHolds(specimen.journal, range(1, 5));
    },
  },
  {
    title: 'the first batch finds no room, and is appended when there is some',
    run: async ({ journal, setRoom }) => {
      assert.ok(setRoom, 'needs setRoom');
      for (const room of [0, 100, 5000, 9000]) {
        setRoom(room);
        const refused = { sequence: 1, payload: sampleBytes(5000, 99) };
        await assert.rejects(journal.append(refused), (error) => isStoreError(error, 'StoreFull'));
        await assertHolds(journal, []);
      }
      setRoom(Number.POSITIVE_INFINITY);
      await appendAll(journal, 1, 2);
      await assertHolds(journal, [1, 2]);
    },
  },
  {
    title: 'after a sync that failed nothing is appended until the journal is opened again',
    run: async (specimen) => {
      const { journal, setSyncsFail } = specimen;
      assert.ok(setSyncsFail && specimen.crash, 'needs setSyncsFail and crash');
      await appendAll(journal, 1, 2);
      setSyncsFail(true);
      await assert.rejects(journal.append(batch(3)), isUnavailable);
      setSyncsFail(false);
      await assert.rejects(journal.append(batch(3)), isUnavailable);
      await assertHolds(journal, [1, 2]);
      await specimen.crash();
      const last = specimen.journal.lastSequence;
      assert.ok(last === 2 || last === 3, `${last}`);
      await appendAll(specimen.journal, last + 1, 5);
      await assertHolds(specimen.journal, range(1, 5));
    },
  },
  {
    title: 'a closed journal takes no batch',
    run: async ({ journal }) => {
      await appendAll(journal, 1, 2);
      await journal[Symbol.asyncDispose]();
      await assert.rejects(journal.append(batch(3)), isUnavailable);
    },
  },
];

const crashCases: readonly JournalCase[] = [
  {
    title: 'batches outlive a journal that was closed',
    run: async (specimen) => {
      assert.ok(specimen.reopen, 'needs reopen');
      for (let count = 1; count <= 4; count++) {
        await appendAll(specimen.journal, count, count);
        await specimen.reopen();
        assert.equal(specimen.journal.lastSequence, count);
        await assertHolds(specimen.journal, range(1, count));
      }
    },
  },
  {
    title: 'an acknowledged batch outlives a crash',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      for (let last = 5; last <= 20; last += 5) {
        await appendAll(specimen.journal, last - 4, last);
        await specimen.crash();
        assert.equal(specimen.journal.lastSequence, last);
        await assertHolds(specimen.journal, range(1, last));
      }
    },
  },
  {
    title: 'a crash leaves all of the batch that was being appended, or nothing',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      let last = 0;
      for (let patience = 0; patience < 30; patience++) {
        if (patience % 3 === 0) await appendAll(specimen.journal, ++last, last);
        // Its end is of no interest: the process that waits for it is gone.
        specimen.journal.append(batch(last + 1)).catch(() => undefined);
        for (let turn = 0; turn < patience; turn++) await Promise.resolve();
        await specimen.crash();
        const found = specimen.journal.lastSequence;
        assert.ok(found === last || found === last + 1, `${found} after ${last}`);
        last = found;
        await assertHolds(specimen.journal, range(1, last));
      }
    },
  },
  {
    title: 'what was forgotten stays forgotten in a crash, or is there as it was',
    run: async (specimen) => {
      assert.ok(specimen.crash && specimen.reopen, 'needs crash and reopen');
      for (let last = 1; last <= 6; last++) {
        await appendAll(specimen.journal, last, last);
        await specimen.reopen();
      }
      specimen.journal.forget(4).catch(() => undefined);
      await specimen.crash();
      assert.equal(specimen.journal.lastSequence, 6);
      await assertHolds(specimen.journal, [5, 6], 4);
    },
  },
  {
    title: 'damage to a batch is reported in its place, and costs no other batch',
    run: async (specimen) => {
      const { damages } = specimen;
      assert.ok(damages && specimen.reopen, 'needs damages and reopen');
      await appendAll(specimen.journal, 1, 3);
      await specimen.reopen();
      await appendAll(specimen.journal, 4, 6);
      for (const victim of [1, 2, 3, 4, 5]) {
        const possible: readonly BatchDamage[] = await damages(victim);
        for (const damage of possible) {
          const { what } = damage;
          const repair = await damage.apply();
          const isLost = damage.isHarmless !== true;
          const expected = range(1, 6).map((sequence) =>
            sequence === victim && isLost ? 'damage' : sequence,
          );
          assert.deepEqual(await outline(specimen.journal, 0), expected, what);
          assert.deepEqual(await outline(specimen.journal, victim), range(victim + 1, 6), what);
          await specimen.reopen();
          assert.equal(specimen.journal.lastSequence, 6, what);
          assert.deepEqual(await outline(specimen.journal, 0), expected, what);
          await repair();
        }
      }
      await assertHolds(specimen.journal, range(1, 6));
    },
  },
];

const isUnavailable = (error: unknown) => isStoreError(error, 'StoreUnavailable');

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

function batch(sequence: number): JournalBatch {
  return { sequence, payload: sampleBytes(1 + ((sequence * 397) % 1500), sequence) };
}

async function appendAll(journal: Journal, first: number, last: number): Promise<void> {
  for (const sequence of range(first, last)) await journal.append(batch(sequence));
}

async function assertHolds(journal: Journal, sequences: number[], after = 0): Promise<void> {
  assert.deepEqual(await outline(journal, after), sequences);
}

/** The numbers of the batches, whose payloads are right, and where something is reported. */
async function outline(journal: Journal, after: number): Promise<(number | 'damage')[]> {
  const found: (number | 'damage')[] = [];
  for await (const part of journal.read(after)) {
    if ('damage' in part) {
      assert.notEqual(part.damage, '');
      found.push('damage');
    } else {
      assert.deepEqual(new Uint8Array(part.payload), batch(part.sequence).payload);
      found.push(part.sequence);
    }
  }
  return found;
}
