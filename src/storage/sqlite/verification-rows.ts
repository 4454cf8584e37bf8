import { sql } from 'kysely';
import { defined } from '../../lib/assert.ts';
import type { VerificationReader, VerificationWriter } from '../metadata-store.ts';
import type { NotedArchive, VerifiableArchive, VerificationRow } from '../rows.ts';
import { type ArchiveNumbers, archiveBlobs } from './archive-blob-rows.ts';
import { type ArchiveColumns, archiveRow } from './archive-rows.ts';
import type { Compile } from './statements.ts';

/** A page of archives ends once it has as many blobs: an archive may have ten thousand. */
const blobsPerPage = 5_000;

/** An archive beside what was last noted of it: both null when nothing was. */
interface NotedColumns extends ArchiveColumns, ArchiveNumbers {
  readonly verified_at_ms: number | null;
  readonly damage: string | null;
}

export function verificationWriter(compile: Compile): VerificationWriter {
  // From the archives, so that one that was forgotten is passed over. The WHERE keeps SQLite from
  // taking the conflict clause for the condition of a join.
  const note = compile((db, p: { ordinal: number; verifiedAtMs: number; damage: string | null }) =>
    db
      .insertInto('verifications')
      .columns(['archive', 'verified_at_ms', 'damage'])
      .expression(
        db
          .selectFrom('archives')
          .select([
            'id',
            sql<number>`${p.verifiedAtMs}`.as('verified_at_ms'),
            sql<string | null>`${p.damage}`.as('damage'),
          ])
          .where('id', '=', p.ordinal),
      )
      .onConflict((conflict) =>
        conflict.column('archive').doUpdateSet((eb) => ({
          verified_at_ms: eb.ref('excluded.verified_at_ms'),
          damage: eb.ref('excluded.damage'),
        })),
      ),
  );

  return {
    ...verificationReader(compile),
    async note(ordinals, { verifiedAtMs, damage }) {
      for (const ordinal of ordinals) note.run({ ordinal, verifiedAtMs, damage });
    },
  };
}

export function verificationReader(compile: Compile): VerificationReader {
  return { ...listings(compile), summarise: summary(compile) };
}

function listings(compile: Compile): Omit<VerificationReader, 'summarise'> {
  const get = compile((db, p: { archiveId: string }) =>
    db
      .selectFrom('archives')
      .innerJoin('verifications', 'verifications.archive', 'archives.id')
      .select(['verifications.verified_at_ms', 'verifications.damage'])
      .where('archives.archive_id', '=', p.archiveId),
  );
  const list = compile((db, p: { afterOrdinal: number; limit: number }) =>
    db
      .selectFrom('archives')
      .leftJoin('verifications', 'verifications.archive', 'archives.id')
      .selectAll('archives')
      .select(['verifications.verified_at_ms', 'verifications.damage'])
      .where('archives.id', '>', p.afterOrdinal)
      .orderBy('archives.id')
      .limit(p.limit),
  );
  const listDamaged = compile((db, p: { limit: number }) =>
    db
      .selectFrom('verifications')
      .innerJoin('archives', 'archives.id', 'verifications.archive')
      .selectAll('archives')
      .select(['verifications.verified_at_ms', 'verifications.damage'])
      .where('verifications.damage', 'is not', null)
      .where('archives.removed_change', 'is', null)
      .orderBy('verifications.archive')
      .limit(p.limit),
  );
  const blobsOf = archiveBlobs(compile);

  return {
    async list(query) {
      const page: VerifiableArchive[] = [];
      let blobCount = 0;
      for (const row of list.all(query)) {
        if (blobCount >= blobsPerPage) break;
        const blobs = blobsOf(row);
        blobCount += blobs.length;
        page.push({ ...noted(row), blobs });
      }
      return page;
    },
    async get(archiveId) {
      const row = get.get({ archiveId });
      return row && { verifiedAtMs: row.verified_at_ms, damage: row.damage };
    },
    async listDamaged(limit) {
      return listDamaged.all({ limit }).map(noted);
    },
  };
}

function summary(compile: Compile): VerificationReader['summarise'] {
  const summarise = compile((db) =>
    db
      .selectFrom('verifications')
      .select((eb) => [
        eb.fn.countAll<number>().as('verified'),
        eb.fn.count<number>('damage').as('damaged'),
        eb.fn.min('verified_at_ms').as('oldest'),
        // Kept with the vaults, since counting a million archives takes a second.
        eb
          .selectFrom('vaults')
          .select(sql<number>`coalesce(sum(archive_count), 0)`.as('count'))
          .as('held'),
      ])
      .where('archive', 'not in', (eb) =>
        eb.selectFrom('archives').select('id').where('removed_change', 'is not', null),
      ),
  );
  return async () => {
    const row = defined(summarise.get({}), 'the summary');
    const archiveCount = row.held ?? 0;
    return {
      archiveCount,
      unverifiedCount: archiveCount - row.verified,
      damagedCount: row.damaged,
      oldestVerifiedAtMs: row.oldest,
    };
  };
}

function noted(row: NotedColumns): NotedArchive {
  return { ordinal: row.id, archive: archiveRow(row), last: verificationOf(row) };
}

function verificationOf(row: NotedColumns): VerificationRow | null {
  if (row.verified_at_ms === null) return null;
  return { verifiedAtMs: row.verified_at_ms, damage: row.damage };
}
