import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { sha256Hex } from '../lib/node/sha256.ts';
import { type CredentialScope, deriveSigningKey, type SigningHashes } from '../protocol/sigv4.ts';

/** Keys that are used often, as Node's own objects: bytes would be checked and wrapped each time. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

/** The hash functions of signatures, as Node has them. */
export const nodeHashes: SigningHashes = {
  sha256Hex,
  hmacSha256: (key, data) =>
    createHmac('sha256', keyObjects.get(key) ?? key)
      .update(data)
      .digest(),
};

/** Whose key, and the secret that it is derived from. */
interface KeyOwner {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * The signing keys that were used last. A key serves a whole day, and deriving it costs four times
 * what a signature costs. The secret is part of what a key is found by, so a new secret never meets
 * an old key.
 */
export class SigningKeys {
  readonly #sizeMax: number;
  /** A map keeps the order in which its entries came: the first is the one longest unused. */
  readonly #keys = new Map<string, Uint8Array>();
  #newest: string | undefined;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#keys.size;
  }

  get(owner: KeyOwner, scope: CredentialScope): Uint8Array {
    const { date, region, service, terminator } = scope;
    const { accessKeyId, secretAccessKey } = owner;
    const name = `${accessKeyId}\n${date}\n${region}\n${service}\n${terminator}\n${secretAccessKey}`;
    const known = this.#keys.get(name);
    if (known !== undefined && name === this.#newest) return known;
    const key = known ?? deriveSigningKey(secretAccessKey, scope, nodeHashes);
    if (known === undefined) keyObjects.set(key, createSecretKey(key));
    this.#keys.delete(name);
    this.#keys.set(name, key);
    this.#newest = name;
    if (this.#keys.size > this.#sizeMax) this.#dropOldest();
    return key;
  }

  #dropOldest(): void {
    for (const name of this.#keys.keys()) {
      this.#keys.delete(name);
      return;
    }
  }
}
