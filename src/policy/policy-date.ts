/** A year, a month, a day, or a time of a day with its zone. W3C, "Date and Time Formats". */
const isoPattern =
  /^(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d))?)?$/;

/** At least five digits: four would be a year to one reader and an hour of 1970 to another. */
const epochPattern = /^-?(?:\d{5,13}|0)(?:\.\d{1,9})?$/;

/** What a `Date` of JavaScript can hold. */
const epochMsMax = 8.64e15;

/**
 * Reads the operand of a date operator as milliseconds since 1970. IAM user guide, "Date condition
 * operators": an ISO 8601 form of the W3C, or seconds since 1970. Gives nothing for anything else,
 * also for a day that is in no calendar and for a time without its zone.
 */
export function parsePolicyDate(text: string): number | undefined {
  if (epochPattern.test(text)) {
    const ms = Number(text) * 1000;
    return Math.abs(ms) <= epochMsMax ? ms : undefined;
  }
  const match = isoPattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day = '1', hour = '0', minute = '0', second = '0', ...rest] = match;
  const [fraction = '', zone = 'Z'] = rest;

  const dayMs = startOfDayMs(Number(year), Number(month), Number(day));
  const zoneMs = zone === 'Z' ? 0 : parseTimeMs(zone.slice(1, 3), zone.slice(4, 6));
  const minuteMs = parseTimeMs(hour, minute);
  if (dayMs === undefined || zoneMs === undefined || minuteMs === undefined) return undefined;
  if (Number(second) > 59) return undefined;
  const secondMs = Number(`${second}.${fraction}`) * 1000;
  return dayMs + minuteMs + secondMs - (zone.startsWith('-') ? -zoneMs : zoneMs);
}

function startOfDayMs(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day that is not there turns up in the next month.
  const isThere = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isThere ? date.getTime() : undefined;
}

function parseTimeMs(hour: string, minute: string): number | undefined {
  if (Number(hour) > 23 || Number(minute) > 59) return undefined;
  return (Number(hour) * 60 + Number(minute)) * 60_000;
}
