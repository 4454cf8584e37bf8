/**
 * The same as JSON shows it: dates as texts, `createdAt` for `createdAtMs`, as they are written
 * everywhere else.
 */
export function dated(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dated);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => entry(name, member)));
}

function entry(name: string, member: unknown): [string, unknown] {
  if (!name.endsWith('AtMs')) return [name, dated(member)];
  const shown = typeof member === 'number' ? new Date(member).toISOString() : member;
  return [name.slice(0, -'Ms'.length), shown];
}
