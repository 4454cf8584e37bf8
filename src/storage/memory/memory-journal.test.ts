import { journalContract } from '../journal.contract.ts';
import { MemoryJournal } from './memory-journal.ts';

const noProcess = 'memory does not outlive its process';
const noDisk = 'memory has no disk that is full, damaged, or fails to sync';

journalContract('MemoryJournal', {
  open: async () => {
    const journal = new MemoryJournal();
    return { journal, [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose]() };
  },
  except: {
    'what is forgotten leaves what comes after it, and the last number': noProcess,
    'batches outlive a journal that was closed': noProcess,
    'an acknowledged batch outlives a crash': noProcess,
    'a crash leaves all of the batch that was being appended, or nothing': noProcess,
    'what was forgotten stays forgotten in a crash, or is there as it was': noProcess,
    'a batch that found no room leaves nothing, and its number may be used again': noDisk,
    'the first batch finds no room, and is appended when there is some': noDisk,
    'after a sync that failed nothing is appended until the journal is opened again': noDisk,
    'damage to a batch is reported in its place, and costs no other batch': noDisk,
  },
});
