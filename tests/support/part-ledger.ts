import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Api } from './api.ts';
import { inventoryOf, jsonOf, retrieve } from './deeds.ts';
import { Multipart, type PartList } from './multipart.ts';
import { mebibyte, treeHashOf } from './tree-hash-reference.ts';

/** What a client remembers of an upload. A part is named by the seed of its bytes. */
interface Entry {
  readonly id: string;
  readonly description: string;
  /** By index: what was acknowledged last, and what was sent last. */
  readonly parts: { acknowledged: string | undefined; sent: string }[];
  state:
    | 'open'
    | 'completion-asked'
    | 'abortion-asked'
    | 'aborted'
    | { readonly archiveId: string };
}

const lastPartBytes = 20_000;

/**
 * What a client was told about the uploads in parts to one vault, and what it was not told because
 * the server went away. Held against the server afterwards.
 */
export class PartLedger {
  readonly vault: string;
  readonly #entries: Entry[] = [];
  #drawn = 0;

  constructor(vault: string) {
    this.vault = vault;
  }

  get acknowledgedCount(): number {
    const counts = this.#entries.map(
      ({ parts }) => parts.filter((part) => part.acknowledged).length,
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  get completedCount(): number {
    return this.#entries.filter(({ state }) => typeof state === 'object').length;
  }

  /** Uploads two parts, one of them twice, and makes an archive of them, or gives every third up. */
  async upload(api: Api): Promise<void> {
    this.#drawn += 1;
    const name = `${this.vault}/upload ${this.#drawn}`;
    const { id } = await Multipart.initiate(api, this.vault, { description: name });
    const entry: Entry = { id, description: name, parts: [], state: 'open' };
    this.#entries.push(entry);
    await this.#put(api, entry, 1);
    await this.#put(api, entry, 0);
    await this.#put(api, entry, 1);
    const upload = new Multipart(api, this.vault, id);
    if (this.#drawn % 3 !== 0) {
      await complete(upload, entry);
      return;
    }
    entry.state = 'abortion-asked';
    assert.equal((await upload.abort()).status, 204);
    entry.state = 'aborted';
  }

  /**
   * Fails unless every acknowledged part of an open upload is listed with its tree hash, and every
   * completed upload is an archive. Completes what is open, and reads it all back.
   */
  async verify(api: Api): Promise<void> {
    for (const entry of this.#entries) await this.#verifyUpload(api, entry);
    const { ArchiveList } = await inventoryOf(api, this.vault);
    for (const { description, parts, state } of this.#entries) {
      const found = ArchiveList.filter((each) => each.ArchiveDescription === description);
      if (state === 'aborted') assert.deepEqual(found, [], `${description} was aborted`);
      if (typeof state !== 'object') continue;
      assert.deepEqual(
        found.map((each) => each.ArchiveId),
        [state.archiveId],
        `${description} is one archive`,
      );
      const bytes = wholeOf(parts.map(({ acknowledged }) => acknowledged ?? ''));
      assert.equal(found[0]?.SHA256TreeHash, treeHashOf(bytes));
    }
    await this.#retrieveSome(api);
  }

  /** Until there is an answer, it may be in its place or not. */
  async #put(api: Api, entry: Entry, index: number): Promise<void> {
    const seed = `${entry.description}/${index}/${Math.random()}`;
    entry.parts[index] = { acknowledged: entry.parts[index]?.acknowledged, sent: seed };
    const upload = new Multipart(api, this.vault, entry.id);
    await upload.put(index * mebibyte, partBytes(seed, index));
    entry.parts[index] = { acknowledged: seed, sent: seed };
  }

  async #verifyUpload(api: Api, entry: Entry): Promise<void> {
    const upload = new Multipart(api, this.vault, entry.id);
    const listed = await upload.list();
    if (typeof entry.state === 'object' || entry.state === 'aborted') {
      assert.equal(listed.status, 404, `${entry.description} is over`);
      return;
    }
    if (listed.status === 404) {
      assert.notEqual(entry.state, 'open', `${entry.description} is lost`);
      // Its completion came to pass, and only the answer was lost: it is the same again.
      if (entry.state === 'completion-asked') await complete(upload, entry);
      return;
    }
    verifyParts(jsonOf<PartList>(listed), entry);
    for (const index of [0, 1]) {
      if (entry.parts[index]?.acknowledged === undefined) await this.#put(api, entry, index);
    }
    await complete(upload, entry);
  }

  async #retrieveSome(api: Api): Promise<void> {
    const archives = this.#entries.flatMap(({ state, parts }) =>
      typeof state === 'object' ? [{ ...state, parts }] : [],
    );
    const stride = Math.max(1, Math.ceil(archives.length / 20));
    for (let index = 0; index < archives.length; index += stride) {
      const { archiveId, parts } = archives[index] ?? assert.fail();
      const bytes = await retrieve(api, this.vault, archiveId);
      const whole = wholeOf(parts.map(({ acknowledged }) => acknowledged ?? ''));
      assert.ok(bytes.equals(whole), `${archiveId} has other bytes`);
    }
  }
}

/** Each part that was acknowledged is listed, or the one that was sent in its place. */
function verifyParts({ Parts }: PartList, { parts, description }: Entry): void {
  const hashes = new Map(Parts.map((part) => [Number(part.RangeInBytes.split('-')[0]), part]));
  for (const [index, part] of parts.entries()) {
    if (part === undefined) continue;
    const found = hashes.get(index * mebibyte)?.SHA256TreeHash;
    const isSent = found === treeHashOf(partBytes(part.sent, index));
    if (isSent) part.acknowledged = part.sent;
    const { acknowledged } = part;
    const expected = acknowledged && treeHashOf(partBytes(acknowledged, index));
    assert.equal(found, expected, `part ${index} of ${description} is lost`);
  }
}

async function complete(upload: Multipart, entry: Entry): Promise<void> {
  entry.state = 'completion-asked';
  const whole = wholeOf(entry.parts.map(({ acknowledged }) => acknowledged ?? ''));
  entry.state = { archiveId: await upload.complete(whole) };
}

function wholeOf(seeds: readonly string[]): Buffer {
  return Buffer.concat(seeds.map(partBytes));
}

/** Bytes that repeat nowhere, and are the same for the same seed. */
function partBytes(seed: string, index: number): Buffer {
  const outputLength = index === 0 ? mebibyte : lastPartBytes;
  return createHash('shake256', { outputLength }).update(seed).digest();
}
