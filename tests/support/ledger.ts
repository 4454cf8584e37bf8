import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Api } from './api.ts';
import { describeVault, inventoryOf, retrieve, uploadHeaders } from './deeds.ts';

/** What a client remembers of an archive: enough to tell whether it came back whole. */
interface Entry {
  readonly seed: string;
  readonly sizeBytes: number;
  readonly description: string;
  state: 'stored' | 'deletion-asked' | 'deleted';
}

/**
 * What a client was told about the archives of one vault, and what it was not told because the
 * server went away. Held against the server afterwards.
 */
export class Ledger {
  readonly vault: string;
  readonly #entries = new Map<string, Entry>();
  #drawn = 0;

  constructor(vault: string) {
    this.vault = vault;
  }

  get storedCount(): number {
    return [...this.#entries.values()].filter(({ state }) => state === 'stored').length;
  }

  get acknowledgedCount(): number {
    return this.#entries.size;
  }

  /** Uploads fresh bytes; notes them if that is acknowledged. Answers the status of the reply. */
  async upload(api: Api, sizeBytes: number): Promise<number> {
    this.#drawn += 1;
    const seed = `${this.vault}/${this.#drawn}`;
    const description = `no. ${this.#drawn} of ${this.vault}`;
    const body = bytesFrom(seed, sizeBytes);
    const headers = uploadHeaders(body, description);
    const target = `/-/vaults/${this.vault}/archives`;
    const answer = await api.call('POST', target, { headers, body });
    const archiveId = answer.headers.get('x-amz-archive-id');
    if (answer.status === 201) {
      assert.ok(archiveId);
      this.#entries.set(archiveId, { seed, sizeBytes, description, state: 'stored' });
    }
    return answer.status;
  }

  /** Deletes some archive, if there is one. Answers the status of the reply, or undefined. */
  async deleteOne(api: Api): Promise<number | undefined> {
    const found = [...this.#entries].find(([, { state }]) => state === 'stored');
    if (found === undefined) return undefined;
    const [archiveId, entry] = found;
    // From now on, and until there is an answer, it may be gone or not.
    entry.state = 'deletion-asked';
    const answer = await api.call('DELETE', `/-/vaults/${this.vault}/archives/${archiveId}`);
    if (answer.status === 204) entry.state = 'deleted';
    return answer.status;
  }

  /**
   * Fails unless every acknowledged archive is there, whole and described as it was, none of those
   * whose deletion was acknowledged, and the vault's totals are those of its inventory. Retrieves
   * at most `retrievalsMax` of them, evenly spread, byte by byte.
   */
  async verify(api: Api, { retrievalsMax = 100 } = {}): Promise<void> {
    const inventory = await inventoryOf(api, this.vault);
    const listed = new Map(inventory.ArchiveList.map((each) => [each.ArchiveId, each]));
    for (const [archiveId, entry] of this.#entries) {
      const found = listed.get(archiveId);
      if (entry.state === 'deleted') assert.equal(found, undefined, `${archiveId} came back`);
      if (entry.state !== 'stored') continue;
      assert.equal(found?.Size, entry.sizeBytes, `${archiveId} is lost`);
      assert.equal(found.ArchiveDescription, entry.description);
    }
    const { NumberOfArchives, SizeInBytes } = await describeVault(api, this.vault);
    const total = inventory.ArchiveList.reduce((sum, { Size }) => sum + Size, 0);
    assert.deepEqual([NumberOfArchives, SizeInBytes], [listed.size, total]);
    await this.#retrieveSome(api, retrievalsMax);
  }

  async #retrieveSome(api: Api, countMax: number): Promise<void> {
    const stored = [...this.#entries].filter(([, { state }]) => state === 'stored');
    const stride = Math.max(1, Math.ceil(stored.length / countMax));
    for (let index = 0; index < stored.length; index += stride) {
      const [archiveId, { seed, sizeBytes }] = stored[index] ?? assert.fail();
      const bytes = await retrieve(api, this.vault, archiveId);
      assert.ok(bytes.equals(bytesFrom(seed, sizeBytes)), `${archiveId} has other bytes`);
    }
  }
}

/** Bytes that repeat nowhere, and are the same for the same seed. */
function bytesFrom(seed: string, sizeBytes: number): Buffer {
  return createHash('shake256', { outputLength: sizeBytes }).update(seed).digest();
}
