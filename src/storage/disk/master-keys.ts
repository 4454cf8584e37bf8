import { createCipheriv, createDecipheriv } from 'node:crypto';
import { assert } from '../../lib/assert.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import type { RandomBytes } from '../../lib/random.ts';
import { StoreError } from '../errors.ts';

export const masterKeyIdBytes = 8;
export const dataKeyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** A data key as it stands in the header of a file: useless without the master key. */
export interface WrappedKey {
  /** Which master key it is wrapped with. */
  readonly masterKeyId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

export const wrappedKeyBytes = nonceBytes + dataKeyBytes + tagBytes;

interface MasterKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * The keys that wrap the data keys of files: AES-256-GCM. New files use the first; the others open
 * what was wrapped before a rotation that has not ended.
 *
 * The nonce of each wrapping is random, 96 bits. By the birthday bound NIST SP 800-38D allows 2^32 of
 * them under one key: that many files.
 */
export class MasterKeys {
  readonly #keys: readonly [MasterKey, ...MasterKey[]];

  /** `keys` are 32 bytes each, the current one first. */
  constructor(keys: readonly [Uint8Array, ...Uint8Array[]]) {
    const [current, ...older] = keys;
    this.#keys = [masterKey(current), ...older.map(masterKey)];
  }

  /** The id of the key that new files are wrapped with: 16 hexadecimal digits. */
  get currentId(): string {
    return this.#keys[0].id;
  }

  get ids(): string[] {
    return this.#keys.map(({ id }) => id);
  }

  /** Wraps `dataKey` for the file that `identity` names: it opens for no other. */
  wrap(dataKey: Uint8Array, identity: Uint8Array, randomBytes: RandomBytes): WrappedKey {
    assert(dataKey.length === dataKeyBytes, 'a data key has 256 bits');
    const [{ id, bytes }] = this.#keys;
    const nonce = Uint8Array.from(randomBytes(nonceBytes));
    const cipher = createCipheriv('aes-256-gcm', bytes, nonce).setAAD(identity);
    const sealed = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
    const masterKeyId = Uint8Array.from(Buffer.from(id, 'hex'));
    return { masterKeyId, nonce, sealed: Uint8Array.from(sealed) };
  }

  /** The data key; nothing when it was damaged. Throws `StoreUnavailable` for an unknown key. */
  unwrap(wrapped: WrappedKey, identity: Uint8Array): Uint8Array | undefined {
    const id = Buffer.from(wrapped.masterKeyId).toString('hex');
    const key = this.#keys.find((one) => one.id === id);
    if (key === undefined) throw unknownKey(id, this.ids);
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, wrapped.nonce).setAAD(identity);
    decipher.setAuthTag(wrapped.sealed.subarray(dataKeyBytes));
    const dataKey = decipher.update(wrapped.sealed.subarray(0, dataKeyBytes));
    try {
      decipher.final();
    } catch {
      // The only way in which it can fail: the tag is not that of these bytes.
      return undefined;
    }
    return dataKey;
  }
}

function masterKey(bytes: Uint8Array): MasterKey {
  assert(bytes.length === dataKeyBytes, 'a master key has 256 bits');
  return { id: masterKeyId(bytes), bytes };
}

/** Says which key it is, and nothing about it. */
export function masterKeyId(bytes: Uint8Array): string {
  const named = Buffer.concat([Buffer.from('firn master key id\n', 'latin1'), bytes]);
  return Buffer.from(sha256(named)).toString('hex', 0, masterKeyIdBytes);
}

function unknownKey(id: string, known: readonly string[]): StoreError {
  return new StoreError(
    'StoreUnavailable',
    `The data is encrypted under the master key ${id}, and the master key file holds ` +
      `${known.join(', ')}. Restore the master key file that belongs to this data from its backup.`,
  );
}
