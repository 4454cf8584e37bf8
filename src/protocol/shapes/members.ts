import type { Member, Members, Type } from './shape.ts';

/** `{accountId}`: 12 digits, or `-` for the caller's own account. */
export const accountId = path('accountId');
export const vaultName = path('vaultName');

export function path<const N extends string>(name: N) {
  return { in: 'path', name, type: 'string', required: true } as const satisfies Member;
}

export function query<const N extends string>(name: N) {
  return { in: 'query', name, type: 'string' } as const satisfies Member;
}

export function header<const N extends string>(name: N) {
  return { in: 'header', name, type: 'string' } as const satisfies Member;
}

export function body<const N extends string, const T extends Type>(
  name: N,
  type: T,
): { readonly in: 'body'; readonly name: N; readonly type: T } {
  return { in: 'body', name, type };
}

export function list<const M extends Members>(members: M) {
  return { list: { structure: members } } as const satisfies Type;
}

/** A copy of `member` that has to be there. */
export function required<const M extends Member>(member: M) {
  return { ...member, required: true } as const;
}

/**
 * `limit` of the lists. More than the maximum is silently reduced, as the live service does, so
 * there is no greatest value here.
 */
export const limit = {
  in: 'query',
  name: 'limit',
  type: 'integer',
  min: 1,
  invalid: 'Invalid limit: {value}',
} as const satisfies Member;

export const marker = query('marker');
