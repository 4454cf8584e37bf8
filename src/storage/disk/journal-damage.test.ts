import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sampleBytes } from '../blob-specimen.ts';
import { isStoreError } from '../errors.ts';
import { FaultyFiles, fileError } from './faulty-files.ts';
import type { Files } from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import { DiskJournalSpecimen } from './journal-specimen.ts';
import { MasterKeys } from './master-keys.ts';

/** Four files: batches 1–3, 4–6, 7–9 and 10–12. */
async function fourFiles(): Promise<DiskJournalSpecimen> {
  const specimen = await DiskJournalSpecimen.simulated();
  for (let first = 1; first <= 10; first += 3) {
    for (let sequence = first; sequence < first + 3; sequence++) {
      await specimen.journal.append({ sequence, payload: sampleBytes(1000, sequence) });
    }
    await specimen.reopen();
  }
  return specimen;
}

describe('DiskJournal, its damages', () => {
  test('a zeroed sector costs the entries that it touches', async () => {
    await using specimen = await fourFiles();
    const path = specimen.layout.journalFile(2);
    const sector = new Uint8Array(512);
    await specimen.change(path, (file) => file.write(sector, growingContentOffset + 1024));
    const outline = await outlineOf(specimen);
    assert.deepEqual(outline, [1, 2, 3, 'Batches 4–5', 6, 7, 8, 9, 10, 11, 12]);
  });

  test('a file that is missing is reported by the batches that it held', async () => {
    const whole = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    for (const number of [1, 2, 3]) {
      await using specimen = await fourFiles();
      await specimen.files.unlink(specimen.layout.journalFile(number));
      await specimen.reopen();
      const first = number * 3 - 2;
      const expected: unknown[] = [...whole];
      expected.splice(first - 1, 3, `Batches ${first}–${first + 2}`);
      assert.deepEqual(await outlineOf(specimen), expected);
      assert.deepEqual(await outlineOf(specimen, first + 2), whole.slice(first + 2));
    }
  });

  test('a file that was cut off in the middle loses what was cut', async () => {
    await using specimen = await fourFiles();
    const path = specimen.layout.journalFile(2);
    await specimen.change(path, (file) => file.truncate(growingContentOffset + 1500));
    await specimen.reopen();
    const expected = [1, 2, 3, 4, 'Batches 5–6', 7, 8, 9, 10, 11, 12];
    assert.deepEqual(await outlineOf(specimen), expected);
  });

  test('what is cut off at the very end is as if it never was: the database knows better', async () => {
    await using specimen = await fourFiles();
    const path = specimen.layout.journalFile(4);
    await specimen.change(path, (file) => file.truncate(growingContentOffset + 1500));
    await specimen.reopen();
    assert.equal(specimen.journal.lastSequence, 10);
    assert.deepEqual((await outlineOf(specimen)).at(-1), 10);
  });

  test('a file without any intact header is reported, also when it is the last', async () => {
    await using specimen = await fourFiles();
    for (const number of [2, 4]) {
      await specimen.change(specimen.layout.journalFile(number), (file) =>
        file.write(new Uint8Array(growingContentOffset), 0),
      );
    }
    await specimen.reopen();
    assert.equal(specimen.journal.lastSequence, 9);
    const expected = [1, 2, 3, 'Batches 4–6', 7, 8, 9, 'Batches 10–'];
    assert.deepEqual(await outlineOf(specimen), expected);
    // What is asked for does not lie in it.
    assert.deepEqual(await outlineOf(specimen, 12), []);
  });

  test('a file in the place of another gives none of its batches', async () => {
    await using specimen = await fourFiles();
    const [second, third] = [2, 3].map((number) => specimen.layout.journalFile(number));
    assert.ok(second && third);
    const contents = [await specimen.content(second), await specimen.content(third)];
    for (const [index, path] of [third, second].entries()) {
      await specimen.change(path, (file) => file.write(contents[index] ?? sampleBytes(1), 0));
    }
    await specimen.reopen();
    assert.deepEqual(await outlineOf(specimen), [1, 2, 3, 'Batches 4–9', 10, 11, 12]);
  });

  test('an entry in the place of another is none', async () => {
    await using specimen = await fourFiles();
    const path = specimen.layout.journalFile(1);
    const content = await specimen.content(path);
    const entryBytes = 64 + 1000 + 16 + 8;
    const second = content.subarray(growingContentOffset + entryBytes).subarray(0, entryBytes);
    await specimen.change(path, (file) => file.write(second, growingContentOffset));
    assert.deepEqual((await outlineOf(specimen)).slice(0, 3), ['Batches 1–1', 2, 3]);
  });

  test('blocks that the disk does not give back cost what lies in them', async () => {
    await using specimen = await fourFiles();
    const first = Math.floor(growingContentOffset / 4096);
    for (const [number, expected] of [
      [2, [1, 2, 3, 'Batches 4–6', 7, 8, 9, 10, 11, 12]],
      [4, [1, 2, 3, 4, 5, 6, 7, 8, 9, 'Batches 10–']],
    ] as const) {
      const path = specimen.layout.journalFile(number);
      specimen.options = { files: withBadBlock(specimen.files, path, first * 4096) };
      await specimen.open();
      assert.deepEqual(await outlineOf(specimen), expected);
    }
  });

  test('a block that the disk does not give back costs no entry of another block', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    for (let sequence = 1; sequence <= 12; sequence++) {
      await specimen.journal.append({ sequence, payload: sampleBytes(1000, sequence) });
    }
    const path = specimen.layout.journalFile(1);
    const files = withBadBlock(specimen.files, path, growingContentOffset + 4096);
    specimen.options = { files };
    await specimen.open();
    const expected = [1, 2, 3, 'Batches 4–8', 9, 10, 11, 12];
    assert.deepEqual(await outlineOf(specimen), expected);
    assert.deepEqual(await outlineOf(specimen, 12), []);
    await specimen.journal.append({ sequence: 13, payload: sampleBytes(1000, 13) });
    assert.deepEqual(await outlineOf(specimen), [...expected, 13]);
  });

  test('a file that is unreadable from end to end is no end of the journal', async () => {
    await using specimen = await fourFiles();
    const last = specimen.layout.journalFile(4);
    for (const failing of ['read', 'open']) {
      specimen.before = (deed, path) => {
        if (deed === failing && path === last) throw fileError('EIO', deed);
      };
      await specimen.open();
      assert.equal(specimen.journal.lastSequence, 9);
      const expected = [7, 8, 9, 'Batches 10–'];
      assert.deepEqual(await outlineOf(specimen, 6), expected, failing);
    }
  });

  test('a file that may not be opened is no damage: the journal does not open', async () => {
    await using specimen = await fourFiles();
    specimen.before = (deed, path) => {
      if (deed === 'open' && path.endsWith('4')) throw fileError('EACCES', deed);
    };
    await assert.rejects(specimen.open(), (error) => isStoreError(error, 'StoreUnavailable'));
  });

  test('nor does it open with the master key of another store', async () => {
    await using specimen = await fourFiles();
    specimen.options = { masterKeys: new MasterKeys([new Uint8Array(32).fill(8)]) };
    await assert.rejects(specimen.open(), (error) => {
      assert.ok(isStoreError(error, 'StoreUnavailable'));
      assert.match(error.message, /Restore the master key file/);
      return true;
    });
  });

  test('a header of another version is not read as if it were one of this', async () => {
    await using specimen = await fourFiles();
    await specimen.change(specimen.layout.journalFile(4), async (file) => {
      await file.write(Uint8Array.of(3), growingContentOffset + 7);
    });
    assert.deepEqual(await outlineOf(specimen, 9), ['Batches 10–10', 11, 12]);
  });
});

/** The numbers of batches, and what is reported in short. */
async function outlineOf({ journal }: DiskJournalSpecimen, after = 0): Promise<unknown[]> {
  const parts = await Array.fromAsync(journal.read(after));
  return parts.map((part) => {
    if ('sequence' in part) {
      assert.deepEqual(new Uint8Array(part.payload), sampleBytes(1000, part.sequence));
      return part.sequence;
    }
    const range = /batch(?:es)? (\d+)(?: to (\d+)| (from|on|is))?/i.exec(part.damage);
    if (part.damage.startsWith('The batches from')) {
      return `Batches ${/from (\d+) on/.exec(part.damage)?.[1]}–`;
    }
    return `Batches ${range?.[1]}–${range?.[2] ?? range?.[1]}`;
  });
}

/** Files that fail to read one block of 4096 bytes of one file. */
function withBadBlock(files: Files, badPath: string, badOffset: number): Files {
  const found = new FaultyFiles(files, () => {});
  const open = found.open.bind(found);
  found.open = async (path, access) => {
    const file = await open(path, access);
    const read = file.read.bind(file);
    file.read = (buffer, offset) => {
      const isBad = offset < badOffset + 4096 && offset + buffer.length > badOffset;
      if (isBad && path === badPath) throw fileError('EIO', 'read');
      return read(buffer, offset);
    };
    return file;
  };
  return found;
}
