import { describe, type TestContext, test } from 'node:test';
import { assertExplored, type Explored, explore, type Stage } from './explore.ts';
import {
  appendBatches,
  type JournalNote,
  journalExploration,
  openJournal,
} from './journal-crashes.ts';

/** Explores a workload, prints how much that was, and fails when it was less than before. */
async function tryAll(
  context: TestContext,
  work: (stage: Stage<JournalNote>) => Promise<void>,
  floor: Partial<Explored>,
): Promise<void> {
  const explored = await explore(journalExploration(work));
  context.diagnostic(assertExplored(explored, floor));
}

describe('a journal, after a crash at any moment', () => {
  test('of its first batches, and of new files', async (context) => {
    const work = async (stage: Stage<JournalNote>) => {
      const journal = await openJournal(stage.files);
      stage.begin();
      await appendBatches(journal, 5, stage);
      await journal[Symbol.asyncDispose]();
    };
    await tryAll(context, work, { crashPoints: 30, states: 180, verdicts: 190, secondStates: 200 });
  });

  test('of a second run, which begins a file of its own', async (context) => {
    const work = async (stage: Stage<JournalNote>) => {
      await appendBatches(await openJournal(stage.files), 2, stage);
      const journal = await openJournal(stage.files);
      stage.begin();
      await appendBatches(journal, 3, stage);
    };
    await tryAll(context, work, { crashPoints: 22, states: 140, verdicts: 150, secondStates: 110 });
  });

  test('of forgetting what is old', async (context) => {
    const work = async (stage: Stage<JournalNote>) => {
      const journal = await openJournal(stage.files);
      await appendBatches(journal, 7, stage);
      stage.begin();
      stage.note({ forgetting: 4 });
      await journal.forget(4);
      await appendBatches(journal, 1, stage);
      stage.note({ forgetting: 6 });
      await journal.forget(6);
      await appendBatches(journal, 2, stage);
    };
    await tryAll(context, work, { crashPoints: 21, states: 110, verdicts: 120, secondStates: 120 });
  });
});
