/** Fills and returns `length` unpredictable bytes. A value, so that a simulation can be repeated. */
export type RandomBytes = (length: number) => Uint8Array;

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const urlSafe = `${alphanumeric}-_`;

/**
 * An identifier of `length` characters of `A–Z a–z 0–9 - _`. The first is never `-` or `_`, because
 * command-line users would have to quote it specially.
 */
export function randomId(randomBytes: RandomBytes, length: number): string {
  let id = '';
  for (const byte of randomBytes(length)) {
    // 62 letters do not divide 256; of the first character only the evenness suffers, slightly.
    id += id === '' ? alphanumeric[byte % alphanumeric.length] : urlSafe[byte % urlSafe.length];
  }
  return id;
}
