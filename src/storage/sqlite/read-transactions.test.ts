import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { ReadTransactions } from './read-transactions.ts';

test('a read that ends the transaction fails alone: those beside it are answered', async () => {
  using database = new DatabaseSync(':memory:');
  const reads = new ReadTransactions({ database, scope: { mode: 'closed' } });
  const isInTransaction = async () => database.isTransaction;
  const before = reads.add(isInTransaction);
  // As SQLite does when the disk does not give back a page.
  const failing = reads.add(async () => {
    database.exec('ROLLBACK');
    throw new Error('disk I/O error');
  });
  const unaware = reads.add(async () => {
    database.exec('ROLLBACK');
    return 'what it read before and after';
  });
  const behind = [reads.add(isInTransaction), reads.add(isInTransaction)];
  assert.equal(await before, true);
  await assert.rejects(failing, { message: 'disk I/O error' });
  await assert.rejects(unaware, { code: 'StoreUnavailable' });
  assert.deepEqual(await Promise.all(behind), [true, true]);
  await reads.close();
});
