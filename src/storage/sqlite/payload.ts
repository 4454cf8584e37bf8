import { assert } from '../../lib/assert.ts';
import { StoreError } from '../errors.ts';
import type { WritableRows } from '../metadata-store.ts';
import { changeOf } from './recording.ts';

/** Counts up whenever the meaning of a call changes: see JOURNAL.md. */
const version = 1;

/** Table, method and arguments. */
export type Call = readonly [table: string, method: string, ...parameters: unknown[]];

/** What a batch says. */
export interface Payload {
  /** The mark of the batch before it; empty when that is not known. */
  readonly previous: string;
  /** The calls of each. */
  readonly transactions: readonly (readonly Call[])[];
}

/**
 * The payload of the batch after one with the mark `previous`: of each of its transactions the text
 * of the calls, as recorded.
 */
export function encodePayload(transactions: readonly string[], previous: string): Uint8Array {
  const texts = transactions.map((text) => `[${text}]`).join(',');
  return Buffer.from(`{"v":${version},"p":${JSON.stringify(previous)},"t":[${texts}]}`);
}

/** Throws `StoreUnavailable` when a newer version wrote it. */
export function decodePayload(payload: Uint8Array): Payload {
  const decoded: unknown = JSON.parse(Buffer.from(payload).toString());
  assert(typeof decoded === 'object' && decoded !== null, 'a payload is an object');
  assert('v' in decoded && typeof decoded.v === 'number', 'a payload tells its version');
  if (decoded.v > version) throw newerVersion();
  const previous = 'p' in decoded ? decoded.p : '';
  assert(typeof previous === 'string', 'a payload names the batch before it');
  assert('t' in decoded && Array.isArray(decoded.t), 'a payload has transactions');
  const transactions: readonly unknown[] = decoded.t;
  for (const calls of transactions) {
    assert(Array.isArray(calls) && calls.every(isCall), 'a transaction is a list of calls');
  }
  return { previous, transactions: transactions as readonly (readonly Call[])[] };
}

/** Makes the changes once more. */
export async function applyCalls(rows: WritableRows, calls: readonly Call[]): Promise<void> {
  for (const [table, name, ...parameters] of calls) {
    const change = changeOf(rows, table, name);
    assert(change !== undefined, `${table}.${name} is a change of rows`);
    await change(...parameters);
  }
}

function isCall(call: unknown): boolean {
  return Array.isArray(call) && typeof call[0] === 'string' && typeof call[1] === 'string';
}

function newerVersion(): StoreError {
  return new StoreError(
    'StoreUnavailable',
    'The journal was written by a newer version of this software. Run that version or a later one.',
  );
}
