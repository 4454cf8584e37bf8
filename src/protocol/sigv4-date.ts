import { GlacierError } from './errors.ts';
import type { SignatureClaim } from './sigv4.ts';

/** A moment as requests are dated: `YYYYMMDD'T'HHMMSS'Z'`, and in milliseconds since 1970. */
export interface SigningDate {
  readonly timestamp: string;
  readonly timestampMs: number;
}

/** RFC 1123, with or without the day of the week; only Universal Time, under each of its names. */
const fullDatePattern =
  /^(?:[A-Z][a-z]{2}, )?(\d\d?) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|[+-]0000)$/;

const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** Writes a moment in the ISO 8601 basic format, without its fraction of a second. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** Reads the ISO 8601 basic format, `20120525T002453Z`. */
export function parseTimestamp(text: string): SigningDate | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  return dateOf([year, (month ?? 0) - 1, day, hour, minute, second], text);
}

/**
 * Reads a `Date` header. Developer guide, "Common Request Headers": it may be ISO 8601 basic; many
 * clients send the full date of RFC 1123, `Fri, 25 May 2012 00:24:53 GMT`, and sign its basic form.
 */
export function parseDateHeader(text: string): SigningDate | undefined {
  const match = fullDatePattern.exec(text);
  if (match === null) return parseTimestamp(text);
  const [, day, month = '', year, hour, minute, second] = match;
  const monthIndex = months.indexOf(month) / 3;
  return dateOf([year, monthIndex, day, hour, minute, second].map(Number));
}

/** `400`, a date in no form that we know. */
export function malformedDate(text: string): GlacierError {
  return new GlacierError(
    'IncompleteSignatureException',
    `Date must be in ISO-8601 'basic format'. Got '${text}'. ` +
      'See http://en.wikipedia.org/wiki/ISO_8601',
  );
}

/**
 * Throws a `GlacierError` when a request is too old or from the future. Developer guide, "Signing
 * Requests", lets a request be off by five minutes; a presigned URL is good until it expires.
 * Whole seconds are compared, because requests are dated in whole seconds.
 */
export function checkFreshness(
  claim: Pick<SignatureClaim, 'timestamp' | 'timestampMs' | 'expiresSeconds'>,
  nowMs: number,
  skewMs: number,
): void {
  const now = Math.floor(nowMs / 1000) * 1000;
  const ageMsMax = claim.expiresSeconds === undefined ? skewMs : claim.expiresSeconds * 1000;
  if (claim.timestampMs < now - ageMsMax) {
    const oldest = formatTimestamp(now - ageMsMax);
    const limit = `${oldest} (${formatTimestamp(now)} - ${span(ageMsMax)})`;
    const problem = `Signature expired: ${claim.timestamp} is now earlier than ${limit}`;
    throw new GlacierError('InvalidSignatureException', problem);
  }
  if (claim.timestampMs > now + skewMs) {
    const limit = `${formatTimestamp(now + skewMs)} (${formatTimestamp(now)} + ${span(skewMs)})`;
    const problem = `Signature not yet current: ${claim.timestamp} is still later than ${limit}`;
    throw new GlacierError('InvalidSignatureException', problem);
  }
}

function span(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min.` : `${ms / 1000} sec.`;
}

type Fields = readonly (number | undefined)[];

/** The moment of six fields, unless one of them is out of bounds, as the 30th of February. */
function dateOf(fields: Fields, text?: string): SigningDate | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  const timestampMs = Date.UTC(year, month, day, hour, minute, second);
  if (Number.isNaN(timestampMs)) return undefined;
  const date = new Date(timestampMs);
  const isSame =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (!isSame) return undefined;
  return { timestamp: text ?? formatTimestamp(timestampMs), timestampMs };
}
