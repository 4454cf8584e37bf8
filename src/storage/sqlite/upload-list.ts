import { sql } from 'kysely';
import { defined } from '../../lib/assert.ts';
import type { UploadReader } from '../metadata-store.ts';
import type { UploadRow, UploadState } from '../rows.ts';
import type { Compile } from './statements.ts';
import { uploadColumnNames, uploadRow } from './upload-columns.ts';

type UploadQuery = Parameters<UploadReader['list']>[0];

/** An upload in one of the indexes that lists are made from. */
interface Entry {
  readonly created_at_ms: number;
  readonly upload_id: string;
}

/** What is looked at in the place where idle uploads lie, before they are gone round. */
const lookMax = 500;

/** A constant, not a parameter: partial indexes are used only for what is known beforehand. */
const open = sql.lit<UploadState>('Open');

/**
 * Makes pages of a vault's open uploads, by a walk in their order; only those of the page are read
 * whole.
 *
 * Idle ones lie in the way until they are ended, after an idle night by the hundred thousand. When the
 * walk meets nothing else for long, those that are active are looked up among themselves.
 */
export function uploadLister(compile: Compile): (query: UploadQuery) => UploadRow[] {
  const walk = compile((db, p: Bounds) =>
    db
      .selectFrom('uploads')
      .select(['created_at_ms', 'upload_id', 'active_at_ms'])
      .where('vault_id', '=', p.vaultId)
      .where('state', '=', open)
      .where(sql<boolean>`(created_at_ms, upload_id) > (${p.afterMs}, ${p.afterId})`)
      .orderBy('created_at_ms')
      .orderBy('upload_id')
      .limit(p.limit),
  );
  // Sorts all that are active, few where most are idle. The pluses keep the planner on their index.
  const active = compile((db, p: Bounds & { idleSinceMs: number }) =>
    db
      .selectFrom('uploads')
      .select(['created_at_ms', 'upload_id'])
      .where('vault_id', '=', p.vaultId)
      .where('state', '=', open)
      .where('active_at_ms', '>', p.idleSinceMs)
      .where(sql<boolean>`(+created_at_ms, +upload_id) > (${p.afterMs}, ${p.afterId})`)
      .orderBy(sql`+created_at_ms`)
      .orderBy(sql`+upload_id`)
      .limit(p.limit),
  );
  const get = compile((db, p: Pick<Entry, 'upload_id'>) =>
    db.selectFrom('uploads').select(uploadColumnNames).where('upload_id', '=', p.upload_id),
  );

  function entriesOf({ vaultId, idleSinceMs, limit, after: place }: UploadQuery): Entry[] {
    const entries: Entry[] = [];
    // No upload has an empty id: all that were created at a time lie after the place (time, '').
    let after = {
      afterMs: place?.createdAtMs ?? Number.MIN_SAFE_INTEGER,
      afterId: place?.uploadId ?? '',
    };
    for (const looked of [limit, lookMax]) {
      const seen = walk.all({ vaultId, ...after, limit: looked });
      entries.push(...seen.filter(({ active_at_ms }) => active_at_ms > idleSinceMs));
      const last = seen.at(-1);
      if (entries.length >= limit || seen.length < looked || last === undefined) return entries;
      after = { afterMs: last.created_at_ms, afterId: last.upload_id };
    }
    return [...entries, ...active.all({ vaultId, idleSinceMs, ...after, limit })];
  }

  return (query) =>
    entriesOf(query)
      .slice(0, query.limit)
      .map(({ upload_id }) => uploadRow(defined(get.get({ upload_id }), `upload ${upload_id}`)));
}

interface Bounds {
  readonly vaultId: string;
  readonly afterMs: number;
  readonly afterId: string;
  readonly limit: number;
}
