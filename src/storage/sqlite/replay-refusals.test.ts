import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLog } from '../../lib/log.ts';
import type { JournalBatch } from '../journal.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { connectForWriting, type WritingConnection } from './connection.ts';
import { JournalPosition, markOf } from './journal-position.ts';
import { encodePayload } from './payload.ts';
import { replayJournal } from './replay.ts';

describe('replayJournal', () => {
  test('misses a batch that is missing, also where none names the one before it', async () => {
    await withDatabase(async (connection) => {
      const journal = new MemoryJournal([batch(1), batch(2), batch(4)]);
      const missing = /The journal is damaged: no batch from 3 to 3\./;
      await assert.rejects(replayJournal(connection, journal), missing);
      await replayJournal(connection, new MemoryJournal([batch(1), batch(2), batch(3)]));
      assert.equal(new JournalPosition(connection.database).sequence, 3);
    });
  });

  test('refuses a batch of its number that came after other changes', async () => {
    await withDatabase(async (connection) => {
      const first = batch(1);
      await replayJournal(connection, new MemoryJournal([first]));
      const stranger = new MemoryJournal([first, batch(2, markOf(batch(9).payload))]);
      await assert.rejects(replayJournal(connection, stranger), /two histories that part before/);
      await replayJournal(connection, new MemoryJournal([first, batch(2, markOf(first.payload))]));
      assert.equal(new JournalPosition(connection.database).sequence, 2);
    });
  });
});

async function withDatabase(use: (connection: WritingConnection) => Promise<void>): Promise<void> {
  const connection = await connectForWriting({ path: ':memory:', log: silentLog });
  try {
    await use(connection);
  } finally {
    connection.database.close();
  }
}

/** `previous` is the mark of the batch before it; empty where that is not known. */
function batch(sequence: number, previous = ''): JournalBatch {
  const call = JSON.stringify(['facts', 'set', `fact ${sequence}`, 'value']);
  return { sequence, payload: encodePayload([call], previous) };
}
