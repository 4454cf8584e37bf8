import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sampleBytes } from '../blob-specimen.ts';
import { growingContentOffset } from './header-copies.ts';
import { entryHeaderBytes, entrySizeBytes, nextEntryOffset } from './journal-entry.ts';
import { DiskJournalSpecimen } from './journal-specimen.ts';

const payloadBytes = 1000;

describe('DiskJournal, what it believes', () => {
  test('a header of an entry of which a byte was changed hides no batch but its own', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    for (let run = 0; run < 2; run += 1) {
      await appendThree(specimen);
      await specimen.reopen();
    }
    const entryBytes = nextEntryOffset(entrySizeBytes(payloadBytes));
    // The first entry of a file tells, besides, where the file belongs among the others.
    for (const [batch, file, index] of [
      [2, 1, 1],
      [4, 2, 0],
    ] as const) {
      for (let at = 0; at < entryHeaderBytes; at += 1) {
        const place = { file, offset: growingContentOffset + index * entryBytes + at };
        await flip(specimen, place);
        await specimen.reopen();
        const whole: unknown[] = [1, 2, 3, 4, 5, 6];
        assert.deepEqual(await outlineOf(specimen), whole.with(batch - 1, 'damage'), `byte ${at}`);
        await flip(specimen, place);
      }
    }
  });

  test('a file that strayed here from another store gives none of its batches', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    specimen.options = { storeId: 'f'.repeat(32) };
    await specimen.reopen();
    await appendThree(specimen);
    specimen.options = {};
    await specimen.reopen();
    assert.equal(specimen.journal.lastSequence, 0);
    assert.deepEqual(await outlineOf(specimen), ['damage']);
  });
});

async function appendThree({ journal }: DiskJournalSpecimen): Promise<void> {
  const first = journal.lastSequence + 1;
  for (let sequence = first; sequence < first + 3; sequence += 1) {
    await journal.append({ sequence, payload: sampleBytes(payloadBytes, sequence) });
  }
}

async function flip(
  specimen: DiskJournalSpecimen,
  { file: number, offset }: { file: number; offset: number },
): Promise<void> {
  await specimen.change(specimen.layout.journalFile(number), async (file) => {
    const byte = new Uint8Array(1);
    await file.read(byte, offset);
    await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), offset);
  });
}

/** The numbers of the batches that are read, and where something is missing. */
async function outlineOf({ journal }: DiskJournalSpecimen): Promise<(number | 'damage')[]> {
  const outline: (number | 'damage')[] = [];
  for await (const item of journal.read(0)) {
    outline.push('damage' in item ? 'damage' : item.sequence);
  }
  return outline;
}
