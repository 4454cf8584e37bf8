import { createSecretKey, type KeyObject } from 'node:crypto';
import { openDataKey } from './file-header.ts';
import type { Layout, OpenFile } from './files.ts';
import type { HeaderReader } from './header-reader.ts';
import type { MasterKeys } from './master-keys.ts';

/** Enough for 32 GiB of small blobs, and little memory. */
export const segmentKeysMax = 1024;

interface Dependencies {
  readonly layout: Layout;
  readonly storeId: string;
  readonly masterKeys: MasterKeys;
  readonly headers: HeaderReader;
}

/** The data keys of segments, each opened once as long as it is used. */
export class SegmentKeys {
  readonly #with: Dependencies;
  readonly #keys = new Map<number, KeyObject>();

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** The key of the segment that `file` is, or in a sentence why there is none. */
  async of(segment: number, file: OpenFile): Promise<KeyObject | string> {
    const known = this.#keys.get(segment);
    if (known === undefined) return await this.#read(segment, file);
    this.put(segment, known);
    return known;
  }

  put(segment: number, key: KeyObject): void {
    // Those used last are at the end.
    this.#keys.delete(segment);
    this.#keys.set(segment, key);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > segmentKeysMax && oldest !== undefined) this.#keys.delete(oldest);
  }

  async #read(segment: number, file: OpenFile): Promise<KeyObject | string> {
    const { layout, storeId, masterKeys, headers } = this.#with;
    const expected = { kind: 'segment', storeId, number: segment } as const;
    const header = await headers.read(file, layout.segment(segment), expected);
    if (typeof header === 'string') return header;
    const bytes = openDataKey(header, masterKeys);
    if (bytes === undefined) return 'the data key of its segment does not open';
    const key = createSecretKey(bytes);
    this.put(segment, key);
    return key;
  }
}
