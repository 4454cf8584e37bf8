import { hmacSha256 } from '../lib/node/sha256.ts';
import type { GlacierError } from '../protocol/errors.ts';
import { invalidParameter } from '../protocol/errors.ts';

/** What a marker may hold: the place after which a listing goes on. */
export type Place = readonly (string | number)[];

const sealSizeBytes = 16;

/** Before each marker, so that none begins with `-`, which command lines take for an option. */
const prefix = 'M';

/**
 * Markers of lists: opaque to clients, and of use only where they were given out. A marker is the
 * place after which to go on, so it stays good while rows come and go, and it is sealed, so that
 * nobody makes one up.
 */
export class Markers {
  readonly #key: Uint8Array;

  /** `key`: a secret of this store, the same after each restart. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** A marker for the list that `scope` names: `jobs/<vaultId>`, say. */
  seal(scope: string, place: Place): string {
    const text = Buffer.from(JSON.stringify(place));
    return prefix + Buffer.concat([this.#sealOf(scope, text), text]).toString('base64url');
  }

  /** The place that a marker of this scope holds. Throws `400` for anything else. */
  open(scope: string, marker: string): Place {
    const bytes = Buffer.from(marker.slice(prefix.length), 'base64url');
    const text = bytes.subarray(sealSizeBytes);
    const isGenuine =
      bytes.length > sealSizeBytes &&
      prefix + bytes.toString('base64url') === marker &&
      this.#sealOf(scope, text).equals(bytes.subarray(0, sealSizeBytes));
    if (!isGenuine) throw invalidMarker(marker);
    return JSON.parse(text.toString()) as Place;
  }

  #sealOf(scope: string, text: Uint8Array): Buffer {
    const sealed = Buffer.concat([Buffer.from(`${scope}\n`), text]);
    return Buffer.from(hmacSha256(this.#key, sealed)).subarray(0, sealSizeBytes);
  }
}

/** The place of a row that is found by a time and an id. */
export function timeAndId(place: Place, marker: string): { atMs: number; id: string } {
  const [atMs, id] = place;
  if (typeof atMs !== 'number' || typeof id !== 'string') throw invalidMarker(marker);
  return { atMs, id };
}

function invalidMarker(marker: string): GlacierError {
  return invalidParameter(`Invalid marker: ${marker}`);
}
