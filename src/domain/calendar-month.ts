/**
 * The same time of day one calendar month later, in UTC, and the last day of that month where it has
 * no such day. Developer guide, "Purchase Provisioned Capacity": what starts on August 31 expires on
 * September 30. Milliseconds are cut, as seen of the live service.
 */
export function oneMonthAfter(atMs: number): number {
  const at = new Date(atMs);
  const year = at.getUTCFullYear();
  const month = at.getUTCMonth() + 1;
  const day = Math.min(at.getUTCDate(), daysOf(year, month));
  return Date.UTC(year, month, day, at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds());
}

/** How many days the month has that the time is in. */
export function daysInMonth(atMs: number): number {
  const at = new Date(atMs);
  return daysOf(at.getUTCFullYear(), at.getUTCMonth());
}

/** `month`: from 0 on; the one after December is January of the next year. */
function daysOf(year: number, month: number): number {
  // Day 0 of a month is the last one of the month before.
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}
