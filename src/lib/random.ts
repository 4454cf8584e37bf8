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

/**
 * Makes ids like those of `datedId`, each of which sorts after the one before it also when they are
 * made in the same millisecond.
 */
export class AscendingIds {
  readonly #randomBytes: RandomBytes;
  readonly #length: number;
  #atMs = Number.NaN;
  #count = 0;

  constructor(randomBytes: RandomBytes, length: number) {
    this.#randomBytes = randomBytes;
    this.#length = length;
  }

  next(atMs: number): string {
    this.#count = atMs === this.#atMs ? this.#count + 1 : 0;
    this.#atMs = atMs;
    const id = datedId(this.#randomBytes, { atMs, length: this.#length - countLength });
    const dateEnd = dateStart.length + dateLength;
    return id.slice(0, dateEnd) + ascendingText(this.#count, countLength) + id.slice(dateEnd);
  }
}

/** The 64 letters of an id in the order of their bytes, which is that of texts in a database. */
const ascendingLetters = [...urlSafe].sort().join('');
/** Six bits each: enough until the year 10889. */
const dateLength = 8;
/** Enough for 262,144 ids in a millisecond. */
const countLength = 3;
/** Never `-` or `_`, as in other ids, and before all that a date may ever begin with. */
const dateStart = '0';

/**
 * An identifier like that of `randomId`, of which the first letters tell when it was made: later ones
 * sort after earlier ones. A database finds the place of a new one next to that of the last, however
 * many there are. What follows the date is random: at least as much as makes an id unguessable.
 */
export function datedId(
  randomBytes: RandomBytes,
  { atMs, length }: { readonly atMs: number; readonly length: number },
): string {
  const date = ascendingText(Math.max(0, Math.floor(atMs)), dateLength);
  return dateStart + date + randomId(randomBytes, length - dateStart.length - dateLength);
}

/** A count as so many letters, which sort as the counts do. */
function ascendingText(count: number, length: number): string {
  let text = '';
  let rest = count;
  for (let index = 0; index < length; index += 1) {
    text = ascendingLetters[rest % 64] + text;
    rest = Math.floor(rest / 64);
  }
  return text;
}
