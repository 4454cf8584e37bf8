import { toTimestampSeconds } from '../protocol/names.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { ArchiveRow, InventoryPosition, InventoryQuery } from '../storage/rows.ts';

/**
 * How many rows are looked at at a time: what one look costs others, about half a millisecond. More
 * are not faster: their text becomes an object that only a full collection frees.
 */
const pageLength = 256;

export interface InventorySlice {
  readonly vaultArn: string;
  readonly inventoryDateMs: number;
  readonly format: 'JSON' | 'CSV';
  /** Its `limit` is how many archives the slice may show; `null` stands for no limit. */
  readonly query: Omit<InventoryQuery, 'limit'> & { readonly limit: number | null };
}

/**
 * An inventory as a stream of bytes, flat in memory however many archives there are. After its end
 * `endedAt` tells where the next slice goes on; null when nothing is left.
 */
export class InventoryOutput {
  readonly #store: Pick<MetadataStore, 'read'>;
  readonly #slice: InventorySlice;
  #endedAt: InventoryPosition | null = null;

  constructor(store: Pick<MetadataStore, 'read'>, slice: InventorySlice) {
    this.#store = store;
    this.#slice = slice;
  }

  get endedAt(): InventoryPosition | null {
    return this.#endedAt;
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    const write = this.#slice.format === 'JSON' ? jsonFormat(this.#slice) : csvFormat();
    yield Buffer.from(write.head);
    let separator = '';
    for await (const page of this.#pages()) {
      const text = page.map(write.archive).join(write.separator);
      // Without a byte where there was nothing to show: who takes them may stop, or do other things.
      yield Buffer.from(page.length > 0 ? separator + text : '');
      if (page.length > 0) separator = write.separator;
    }
    if (write.tail !== '') yield Buffer.from(write.tail);
  }

  /**
   * What each look found to show. Behind the last archive that the slice may show it looks on: only
   * where another follows does the slice end before the inventory.
   */
  async *#pages(): AsyncGenerator<readonly ArchiveRow[]> {
    let { after, limit } = this.#slice.query;
    let lastShown = after;
    for (;;) {
      const query = { ...this.#slice.query, after, limit: pageLength };
      const { archives, next } = await this.#store.read((rows) =>
        rows.archives.listForInventory(query),
      );
      const page = archives.slice(0, limit ?? pageLength);
      yield page;
      if (limit !== null) limit -= page.length;
      lastShown = page.at(-1) ?? lastShown;
      if (page.length < archives.length) {
        this.#endedAt = lastShown;
        return;
      }
      if (next === null) return;
      after = next;
    }
  }
}

interface Format {
  readonly head: string;
  readonly archive: (archive: ArchiveRow) => string;
  readonly separator: string;
  readonly tail: string;
}

/** Developer guide, "Job Output" of inventories: compact, in this order, dates in whole seconds. */
function jsonFormat({ vaultArn, inventoryDateMs }: InventorySlice): Format {
  const date = toTimestampSeconds(inventoryDateMs);
  const creationDate = timestampWriter();
  return {
    head: `{"VaultARN":${JSON.stringify(vaultArn)},"InventoryDate":"${date}","ArchiveList":[`,
    archive: (archive) =>
      `{"ArchiveId":${JSON.stringify(archive.archiveId)},"ArchiveDescription":` +
      `${JSON.stringify(archive.description)},"CreationDate":` +
      `"${creationDate(archive.createdAtMs)}","Size":${archive.sizeBytes},` +
      `"SHA256TreeHash":"${archive.treeHash}"}`,
    separator: ',',
    tail: ']}',
  };
}

/**
 * The description is always quoted. A quote in it is written `\"` and a backslash stays single, so
 * that the format is ambiguous: it is what the live service sends, and what its readers expect.
 */
function csvFormat(): Format {
  const creationDate = timestampWriter();
  return {
    head: 'ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\r\n',
    archive: (archive) =>
      `${archive.archiveId},"${archive.description.replaceAll('"', '\\"')}",` +
      `${creationDate(archive.createdAtMs)},${archive.sizeBytes},${archive.treeHash}\r\n`,
    separator: '',
    tail: '',
  };
}

/** Archives come by their time, often many of one second: its text is made for the first of them. */
function timestampWriter(): typeof toTimestampSeconds {
  let second = Number.NaN;
  let text = '';
  return (ms) => {
    const wanted = Math.floor(ms / 1000);
    if (wanted !== second) text = toTimestampSeconds(ms);
    second = wanted;
    return text;
  };
}
