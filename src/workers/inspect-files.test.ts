import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { goingOn } from '../../tests/support/domain.ts';
import { RecordedLog } from '../../tests/support/recorded-log.ts';
import { SimulatedClock } from '../lib/clock.ts';
import { StoreError } from '../storage/errors.ts';
import type { Journal, JournalBatch, JournalDamage } from '../storage/journal.ts';
import { MemoryJournal } from '../storage/memory/memory-journal.ts';
import type { Snapshot, Snapshots } from '../storage/snapshots.ts';
import type { InspectedFile } from '../storage/upkeep.ts';
import { InspectFiles } from './inspect-files.ts';

const mebibyte = 1024 * 1024;
const dayMs = 24 * 60 * 60 * 1000;
const corrupt = new StoreError('BlobCorrupt', 'a frame fails its verification');

describe('InspectFiles', () => {
  test('all is read once a period, at no more than 2 MiB a second', async () => {
    const house = houseOf();
    const startedMs = house.clock.elapsedMs();
    await house.runRound();
    assert.deepEqual(house.deeds, ['snapshot b', 'snapshot a', 'journal after 3', 'headers']);
    // Three MiB and some files.
    const tookMs = house.clock.elapsedMs() - startedMs;
    assert.ok(tookMs >= 1500 && tookMs < 2500, `${tookMs} ms`);
    assert.deepEqual([house.log.events, house.damageCount], [[], 0]);
    house.deeds.length = 0;
    house.clock.advance(29 * dayMs);
    assert.equal(await house.worker.step(goingOn), 'idle');
    assert.deepEqual(house.deeds, []);
    house.clock.advance(dayMs);
    await house.runRound();
    assert.equal(house.deeds.length, 4);
  });

  test('a snapshot that cannot be read to its end is told, and a fresh one asked for', async () => {
    const house = houseOf();
    house.unreadable.set('b', corrupt);
    house.unreadable.set('a', corrupt);
    await house.runRound();
    assert.deepEqual(house.log.names('error'), ['snapshot.damaged', 'snapshot.damaged']);
    assert.equal(house.damageCount, 1);
    assert.equal(house.deeds.at(-1), 'headers');
  });

  test('one that is left out of the list for damage is a reason to ask, too', async () => {
    const house = houseOf();
    house.damagedNames.push('c');
    await house.runRound();
    assert.equal(house.damageCount, 1);
  });

  test('one that has gone meanwhile is none', async () => {
    const house = houseOf();
    house.unreadable.set('b', new StoreError('BlobNotFound', 'it is gone'));
    await house.runRound();
    assert.deepEqual([house.log.events, house.damageCount], [[], 0]);
  });

  test('damage in the journal is told, and a fresh snapshot asked for', async () => {
    const house = houseOf();
    house.entries = [{ damage: 'Batch 4 is lost' }, batch(5), { damage: 'Batch 6 is lost' }];
    await house.runRound();
    const told = house.log.events.map(({ event, facts }) => [event, facts['damage']]);
    assert.deepEqual(told, [
      ['journal.damaged', 'Batch 4 is lost'],
      ['journal.damaged', 'Batch 6 is lost'],
    ]);
    assert.equal(house.damageCount, 1);
  });

  test('what a snapshot made superfluous while it was read is not missed', async () => {
    const house = houseOf();
    house.entries = [{ damage: 'The batches 4 to 9 are lost' }];
    house.onJournalRead = () => {
      house.snapshots = [snapshot('c', 20), snapshot('b', 9)];
      house.entries = [batch(10)];
    };
    await house.runRound();
    assert.deepEqual([house.log.events, house.damageCount], [[], 0]);
    assert.ok(house.deeds.includes('journal after 9'));
  });

  test('a header that is lost is told, and one that was repaired is not', async () => {
    const house = houseOf();
    house.files = [
      { path: '/one', found: 'repaired' },
      { path: '/two', found: { damage: 'it fails its checksum' } },
      { path: '/three', found: 'sound' },
    ];
    await house.runRound();
    const facts = { path: '/two', damage: 'it fails its checksum' };
    assert.deepEqual(house.log.events, [{ level: 'error', event: 'file.damaged', facts }]);
    assert.equal(house.damageCount, 0);
  });

  test('a round that fails begins anew', async () => {
    const house = houseOf();
    house.unreadable.set('a', new StoreError('StoreUnavailable', 'too many open files'));
    await assert.rejects(house.runRound(), { message: 'too many open files' });
    house.unreadable.clear();
    house.deeds.length = 0;
    await house.runRound();
    assert.equal(house.deeds.length, 4);
  });

  test('a worker that is stopped while it rests closes what it was reading', async () => {
    const house = houseOf();
    const stopping = new AbortController();
    await house.worker.step(stopping.signal);
    assert.equal(house.openCount, 1);
    const waking = house.worker.wake(stopping.signal);
    const reason = new Error('stopped');
    stopping.abort(reason);
    await assert.rejects(waking, reason);
    assert.equal(house.openCount, 0);
    await assert.rejects(house.worker.step(stopping.signal), reason);
  });
});

function batch(sequence: number): JournalBatch {
  return { sequence, payload: new Uint8Array(mebibyte / 2) };
}

function snapshot(name: string, sequence: number): Snapshot {
  return { name, sequence, takenAtMs: 0, sizeBytes: mebibyte };
}

/** A worker over what a test lets it find, and a record of what it did. */
function houseOf() {
  const clock = new SimulatedClock();
  const log = new RecordedLog();
  const house = {
    clock,
    log,
    deeds: [] as string[],
    damageCount: 0,
    openCount: 0,
    snapshots: [snapshot('b', 5), snapshot('a', 3)],
    damagedNames: [] as string[],
    unreadable: new Map<string, Error>(),
    entries: [batch(4), batch(5)] as (JournalBatch | JournalDamage)[],
    onJournalRead: () => {},
    files: [{ path: '/one', found: 'sound' }] as InspectedFile[],
    runRound: async () => {
      for (;;) {
        await worker.step(goingOn);
        if (house.deeds.at(-1) === 'headers' && house.openCount === 0) return;
        clock.advance(100);
      }
    },
  };
  const snapshots: Snapshots = {
    list: async () => house.snapshots,
    damaged: async () => house.damagedNames,
    write: async () => assert.fail('nothing is written'),
    remove: async () => assert.fail('nothing is removed'),
    read: async function* (name) {
      house.deeds.push(`snapshot ${name}`);
      house.openCount += 1;
      try {
        yield new Uint8Array(mebibyte / 2);
        const error = house.unreadable.get(name);
        if (error !== undefined) throw error;
        yield new Uint8Array(mebibyte / 2);
      } finally {
        house.openCount -= 1;
      }
    },
  };
  class JournalOfHouse extends MemoryJournal implements Journal {
    override async *read(afterSequence: number) {
      house.deeds.push(`journal after ${afterSequence}`);
      const { entries } = house;
      house.onJournalRead();
      yield* entries;
    }
  }
  const upkeep = {
    inspectHeaders: async function* () {
      house.deeds.push('headers');
      house.openCount += 1;
      yield* house.files;
      house.openCount -= 1;
    },
  };
  const worker = new InspectFiles({
    ...{ upkeep, snapshots, journal: new JournalOfHouse(), clock, log },
    onDamage: () => {
      house.damageCount += 1;
    },
  });
  return Object.assign(house, { worker });
}
