import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

/** Statements that walk a whole table, by their beginning, each with the reason. */
const exceptions: Readonly<Record<string, string>> = {
  'select * from "accounts" order by': 'lists all accounts, which are few',
  'update "vaults" set "inventory_taken_at_ms" = ?': 'clears all inventories, once at a start',
  'select count(*) as "verified"': 'sums up verifications: small rows, and its contract says so',
};

/** Partial indexes that are walked as a whole, or from their beginning: they hold few rows. */
const partial = ['jobs_leased', 'uploads_to_discard', 'verifications_damaged'];

/** Statements that sort what they found, by their beginning, each with the reason. */
const sorters: Readonly<Record<string, string>> = {
  'select "created_at_ms", "job_id" from "jobs"': 'jobs left among expired ones, which are few',
  'select "created_at_ms", "upload_id" from "uploads"':
    'uploads left among idle ones, which are few',
};

test('no statement walks a whole table, or sorts, but for those listed', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'firn-plans-'));
  try {
    const path = join(directory, 'firn.db');
    const texts: string[] = [];
    const onCompiled = (text: string) => texts.push(text);
    const journal = new MemoryJournal();
    const parts = { clock: new SimulatedClock(), log: silentLog, journal };
    const store = await SqliteMetadataStore.open({ path, ...parts, onCompiled });
    await store[Symbol.asyncDispose]();
    assert.ok(texts.length > 30, `${texts.length} statements`);
    using database = new DatabaseSync(path);
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name }) => String(name));
    for (const text of texts) {
      const plan = database
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all()
        .map(({ detail }) => String(detail));
      const isWalk = plan.some((step) => isWalkOfTable(step, tables));
      const isSort = plan.some((step) => step.startsWith('USE TEMP B-TREE'));
      const isListed = (list: Readonly<Record<string, string>>) =>
        Object.entries(list).some(([beginning, reason]) => {
          if (text.startsWith(beginning)) context.diagnostic(`${beginning}…: ${reason}`);
          return text.startsWith(beginning);
        });
      if (isWalk) assert.ok(isListed(exceptions), `${text}\n${plan.join('\n')}`);
      if (isSort) assert.ok(isListed(sorters), `${text}\n${plan.join('\n')}`);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

/**
 * A walk of a table, or of an index over all of it. The names that are no table's are results of a
 * subquery.
 */
function isWalkOfTable(step: string, tables: readonly string[]): boolean {
  const [, table = '', index] = /^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?/.exec(step) ?? [];
  return tables.includes(table) && !partial.includes(index ?? '');
}
