import { invalidParameter } from '../protocol/errors.ts';

/**
 * Developer guide, "Range Inventory Retrieval": `YYYY-MM-DDThh:mm:ssTZD`. Clients also send
 * fractions of a second, zones without a colon, `UTC`, `GMT`, or no zone at all, which is UTC.
 */
const datePattern =
  /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d{1,9})?\s*(?:Z|UTC|GMT|([+-]\d{2}):?(\d{2})|)$/;

/** The time that a date of a request means, in milliseconds since 1970. Throws `400`. */
export function parseInventoryDate(text: string): number {
  const match = datePattern.exec(text);
  const [, day, time, fraction = '', zoneHours, zoneMinutes] = match ?? [];
  const zone = zoneHours === undefined ? 'Z' : `${zoneHours}:${zoneMinutes}`;
  const ms = Date.parse(`${day}T${time}${fraction.slice(0, 4)}${zone}`);
  if (match === null || Number.isNaN(ms) || !isCalendarDay(day ?? '')) {
    throw invalidParameter(`Invalid date: ${text}`);
  }
  return ms;
}

/** `Date.parse` takes 30 February for 2 March. */
function isCalendarDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
