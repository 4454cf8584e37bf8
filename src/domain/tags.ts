import { GlacierError, invalidParameter } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { VaultKey } from '../storage/rows.ts';
import { whileThereIsRoom } from './room.ts';
import { vaultAt } from './vaults.ts';

/**
 * Developer guide, "Tagging Resources": Unicode letters, digits and spaces, and `_ . / = + - @`. The
 * colon, which AWS allows in the tags of its other services, is beside them here.
 */
const charactersPattern = /^[\p{L}\p{N}\p{Zs}_./=+\-@:]*$/u;

/** Developer guide, "Tagging Resources": the prefix that is reserved for AWS. */
const reservedPattern = /^aws:/i;

export interface TagsOptions {
  readonly store: MetadataStore;
  readonly blobs: Pick<BlobStore, 'checkRoom'>;
  /** How many tags a vault may have. */
  readonly vaultTagsMax: number;
}

/** Tags of vaults: keys, each with a value. */
export class Tags {
  readonly #store: MetadataStore;
  readonly #blobs: Pick<BlobStore, 'checkRoom'>;
  readonly #vaultTagsMax: number;

  constructor({ store, blobs, vaultTagsMax }: TagsOptions) {
    this.#store = store;
    this.#blobs = blobs;
    this.#vaultTagsMax = vaultTagsMax;
  }

  /** Adds all the tags or none. A tag whose key is there gets the new value. */
  async add(key: VaultKey, tags: ReadonlyMap<string, string>): Promise<void> {
    checkCount('tags', tags.size);
    for (const [tagKey, value] of tags) checkTag(tagKey, value);
    await whileThereIsRoom(this.#blobs, () => this.#put(key, tags));
  }

  #put(key: VaultKey, tags: ReadonlyMap<string, string>): Promise<void> {
    return this.#store.write(async (rows) => {
      const { vaultId } = await vaultAt(rows, key);
      const there = await rows.vaultSettings.tags(vaultId);
      const keys = new Set([...there.map((tag) => tag.key), ...tags.keys()]);
      // A vault that has more than a limit that was lowered can still change the tags that it has.
      if (keys.size > there.length && keys.size > this.#vaultTagsMax) {
        throw new GlacierError(
          'LimitExceededException',
          `The vault would have ${keys.size} tags, and may have ${this.#vaultTagsMax} at most.`,
        );
      }
      await rows.vaultSettings.putTags(
        vaultId,
        [...tags].map(([tagKey, value]) => ({ key: tagKey, value })),
      );
    });
  }

  async list(key: VaultKey): Promise<ReadonlyMap<string, string>> {
    return await this.#store.read(async (rows) => {
      const { vaultId } = await vaultAt(rows, key);
      const tags = await rows.vaultSettings.tags(vaultId);
      return new Map(tags.map((tag) => [tag.key, tag.value]));
    });
  }

  /** Removes the tags of these keys. A key that no tag has is fine: the guide calls it idempotent. */
  async remove(key: VaultKey, keys: readonly string[]): Promise<void> {
    checkCount('tag keys', keys.length);
    for (const tagKey of keys) checkKey(tagKey);
    await this.#store.write(async (rows) => {
      const { vaultId } = await vaultAt(rows, key);
      await rows.vaultSettings.removeTags(vaultId, keys);
    });
  }
}

function checkCount(what: string, count: number): void {
  const max = limits.tagsPerRequestMax;
  if (count >= 1 && count <= max) return;
  throw invalidParameter(`Invalid number of ${what}, which must be 1 to ${max}: ${count}`);
}

function checkTag(key: string, value: string): void {
  checkKey(key);
  const max = limits.tagValueLengthMax;
  if (lengthOf(value) > max) {
    throw invalidParameter(`Invalid value of the tag ${key}: it has more than ${max} characters`);
  }
  if (!charactersPattern.test(value)) {
    throw invalidParameter(`Invalid value of the tag ${key}: ${charactersRule}`);
  }
}

function checkKey(key: string): void {
  const max = limits.tagKeyLengthMax;
  if (key === '' || lengthOf(key) > max) {
    throw invalidParameter(`Invalid tag key, which must have 1 to ${max} characters: ${key}`);
  }
  if (!charactersPattern.test(key)) {
    throw invalidParameter(`Invalid tag key ${key}: ${charactersRule}`);
  }
  if (reservedPattern.test(key)) {
    throw invalidParameter(`Invalid tag key ${key}: keys that start with aws: are reserved`);
  }
}

const charactersRule = 'only letters, digits, spaces and _ . / = + - @ : are allowed';

/** Characters are code points: those beyond the first plane count as one. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
