import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sampleBytes } from '../blob-specimen.ts';
import { isStoreError } from '../errors.ts';
import { fileError } from './faulty-files.ts';
import { numbersIn } from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import { DiskJournalSpecimen } from './journal-specimen.ts';

const isUnavailable = (error: unknown) => isStoreError(error, 'StoreUnavailable');
const isFull = (error: unknown) => isStoreError(error, 'StoreFull');

describe('DiskJournal, its files', () => {
  test('1. a file is whole and its name durable before the first entry is written', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    const deeds = recordDeeds(specimen);
    await append(specimen, 1);
    // The last write is what is filled ahead.
    const begun = ['create', 'write', 'write', 'sync', 'syncDirectory'];
    assert.deepEqual(deeds, [...begun, 'write', 'write', 'sync']);
    deeds.length = 0;
    await append(specimen, 2, 3, 4);
    assert.deepEqual(deeds, ['write', 'sync', 'write', 'sync', 'write', 'sync']);
  });

  test('2. each run begins a file at its first batch, and changes no earlier one', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1);
    await specimen.reopen();
    await specimen.reopen();
    const first = specimen.layout.journalFile(1);
    const before = await specimen.content(first);
    await append(specimen, 2, 3);
    assert.deepEqual(await specimen.content(first), before);
    assert.deepEqual(await numbers(specimen), [1, 2]);
  });

  test('a file that has grown to its size is left, with no room behind its end', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    specimen.options = { fileSizeBytesMin: 200_000 };
    await specimen.reopen();
    for (let sequence = 1; sequence <= 9; sequence++) await append(specimen, sequence);
    assert.deepEqual(await numbers(specimen), [1]);
    const large = { sequence: 10, payload: sampleBytes(150_000) };
    await specimen.journal.append(large);
    await append(specimen, 11);
    assert.deepEqual(await numbers(specimen), [1, 2]);
    const { length } = await specimen.content(specimen.layout.journalFile(1));
    const entriesBytes = 9 * 192 + 64 + 150_000 + 16;
    assert.equal(length, growingContentOffset + entriesBytes);
    assert.ok(specimen.journal.sizeBytes > length);
    await specimen.reopen();
    assert.equal(specimen.journal.lastSequence, 11);
    assert.equal((await Array.fromAsync(specimen.journal.read(0))).length, 11);
  });

  test('what is filled ahead costs nothing when there is no room for it', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    specimen.setRoom(20_000);
    for (let sequence = 1; sequence <= 20; sequence++) await append(specimen, sequence);
    await specimen.crash();
    assert.equal(specimen.journal.lastSequence, 20);
  });

  test('3. an entry that can neither be written nor cut off again is left behind', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1, 2);
    specimen.before = (deed, _, sizeBytes) => {
      if (deed === 'truncate' || (deed === 'write' && sizeBytes < 4096)) {
        throw fileError('ENOSPC', deed);
      }
    };
    await assert.rejects(append(specimen, 3), isFull);
    specimen.before = () => {};
    await append(specimen, 3, 4);
    assert.deepEqual(await numbers(specimen), [1, 2]);
    assert.deepEqual(await sequences(specimen), [1, 2, 3, 4]);
    await specimen.crash();
    assert.deepEqual(await sequences(specimen), [1, 2, 3, 4]);
  });

  test('a failed batch that is whole after all gives way to the one that took its number', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1, 2);
    const path = specimen.layout.journalFile(1);
    await specimen.journal.append({ sequence: 3, payload: sampleBytes(77, 55) });
    const whole = await specimen.content(path);
    await specimen.change(path, (file) => file.truncate(growingContentOffset + 2 * 192));
    await specimen.open();
    await append(specimen, 3);
    await specimen.change(path, (file) => file.write(whole, 0));
    await specimen.reopen();
    assert.deepEqual(await sequences(specimen), [1, 2, 3]);
    const parts = await Array.fromAsync(specimen.journal.read(2));
    assert.deepEqual(
      parts.map((part) => 'payload' in part && new Uint8Array(part.payload)),
      [payloadOf(3)],
    );
  });

  test('3. a batch that found no room takes none', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1, 2);
    specimen.setRoom(10);
    await assert.rejects(specimen.journal.append({ sequence: 3, payload: sampleBytes(2 ** 21) }));
    const { length } = await specimen.content(specimen.layout.journalFile(1));
    assert.ok(length <= growingContentOffset + 2 * 192);
  });

  test('a full disk gets its reserve back, and the batch is appended', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    let releases = 0;
    specimen.options = {
      onFull: async () => {
        releases += 1;
        specimen.setRoom(Number.POSITIVE_INFINITY);
        return true;
      },
    };
    await specimen.reopen();
    specimen.setRoom(4096 + 10);
    await append(specimen, 1, 2);
    specimen.setRoom(0);
    await append(specimen, 3);
    assert.equal(releases, 2);
    await specimen.reopen();
    assert.deepEqual(await sequences(specimen), [1, 2, 3]);
  });

  test('a full disk without a reserve refuses the batch, and is asked once', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    let releases = 0;
    const onFull = async () => {
      releases += 1;
      return releases > 1;
    };
    specimen.options = { onFull };
    await specimen.reopen();
    specimen.setRoom(0);
    await assert.rejects(append(specimen, 1), isFull);
    await assert.rejects(append(specimen, 1), isFull);
    assert.equal(releases, 2);
  });

  test('3. after a sync that failed no byte is written and no file goes', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1);
    await specimen.reopen();
    await append(specimen, 2);
    specimen.setSyncsFail(true);
    await assert.rejects(append(specimen, 3), isUnavailable);
    specimen.setSyncsFail(false);
    const deeds = recordDeeds(specimen);
    await assert.rejects(append(specimen, 3), isUnavailable);
    await assert.rejects(specimen.journal.forget(2), isUnavailable);
    assert.deepEqual(deeds, []);
  });

  test('no nonce is used twice, not even by batches that failed', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    const seen = new Set<string>();
    const countOffset = 24;
    for (let sequence = 1; sequence <= 5; sequence++) {
      await append(specimen, sequence);
      specimen.setRoom(10);
      await assert.rejects(append(specimen, sequence + 1), isFull);
      specimen.setRoom(Number.POSITIVE_INFINITY);
    }
    const content = await specimen.content(specimen.layout.journalFile(1));
    for (let at = growingContentOffset; at < content.length; at += 64) {
      if (content.toString('latin1', at, at + 7) !== 'FIRNJNL') continue;
      seen.add(content.toString('hex', at + countOffset, at + countOffset + 8));
    }
    const expected = [0, 2, 4, 6, 8].map((count) => count.toString(16).padStart(16, '0'));
    assert.deepEqual([...seen], expected);
  });

  test('forgetting unlinks the oldest files first, and syncs their directory', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    for (let sequence = 1; sequence <= 5; sequence++) {
      await append(specimen, sequence);
      await specimen.reopen();
    }
    const before = specimen.journal.sizeBytes;
    const paths: string[] = [];
    specimen.before = (deed, path) => {
      if (deed === 'unlink' || deed === 'syncDirectory') paths.push(path);
    };
    await specimen.journal.forget(3);
    const { layout } = specimen;
    assert.deepEqual(paths, [...[1, 2, 3].map((n) => layout.journalFile(n)), layout.journal]);
    assert.ok(specimen.journal.sizeBytes < before / 2);
    await specimen.journal.forget(1000);
    assert.deepEqual(await numbers(specimen), [5]);
    await specimen.crash();
    assert.equal(specimen.journal.lastSequence, 5);
  });

  test('a file without entries is nothing, and does not take the place of one that has some', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1, 2);
    await specimen.reopen();
    await specimen.files.create(specimen.layout.journalFile(2));
    const half = await specimen.files.create(specimen.layout.journalFile(3));
    await half.write(sampleBytes(5000), 0);
    await specimen.reopen();
    assert.equal(specimen.journal.lastSequence, 2);
    await specimen.journal.forget(2);
    await specimen.reopen();
    assert.equal(specimen.journal.lastSequence, 2);
    await append(specimen, 3);
    assert.deepEqual(await sequences(specimen), [1, 2, 3]);
    assert.deepEqual(await numbers(specimen), [1, 2, 3, 4]);
    await specimen.journal.forget(2);
    assert.deepEqual(await numbers(specimen), [4]);
  });

  test('nor does one that holds only what a crash left of an entry', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1, 2);
    await specimen.reopen();
    await append(specimen, 3);
    const path = specimen.layout.journalFile(2);
    await specimen.change(path, (file) =>
      file.write(new Uint8Array(64), growingContentOffset + 64),
    );
    await specimen.open();
    await specimen.journal.forget(2);
    await specimen.reopen();
    assert.equal(specimen.journal.lastSequence, 2);
  });

  test('no file stays open', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1, 2);
    for await (const _ of specimen.journal.read(0)) break;
    await specimen.journal[Symbol.asyncDispose]();
    assert.equal(specimen.openFileCount, 0);
  });
});

function recordDeeds(specimen: DiskJournalSpecimen): string[] {
  const deeds: string[] = [];
  specimen.before = (deed) => {
    deeds.push(deed);
  };
  return deeds;
}

function payloadOf(sequence: number): Uint8Array {
  return sampleBytes(100, sequence);
}

async function append(specimen: DiskJournalSpecimen, ...numbers: number[]): Promise<void> {
  for (const sequence of numbers) {
    await specimen.journal.append({ sequence, payload: payloadOf(sequence) });
  }
}

async function sequences(specimen: DiskJournalSpecimen) {
  const parts = await Array.fromAsync(specimen.journal.read(0));
  return parts.map((part) => ('sequence' in part ? part.sequence : part.damage));
}

function numbers({ files, layout }: DiskJournalSpecimen): Promise<number[]> {
  return numbersIn(files, layout.journal);
}
