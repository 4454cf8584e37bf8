import { type Kysely, type Migration, sql } from 'kysely';

/**
 * The position in the journal tells which history it is a position in: JOURNAL.md. Empty where that
 * is not known, because the last batch was written before this.
 */
export const history: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`ALTER TABLE journal_position ADD COLUMN mark TEXT NOT NULL DEFAULT ''`.execute(db);
  },
};
