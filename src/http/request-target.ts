/** The members of a query by name; of a name that comes twice, the first. */
export type Query = ReadonlyMap<string, string>;

/**
 * Path and query of a request target. RFC 9112, section 3.2.2: a server accepts the absolute form,
 * as clients send it that were given this server as their HTTP proxy.
 */
export function originForm(target: string): string {
  const absolute = /^https?:\/\/[^/?#]*(.*)$/is.exec(target)?.[1];
  if (absolute === undefined) return target;
  return absolute.startsWith('/') ? absolute : `/${absolute}`;
}

/** The query of a target in origin form. A plus is a plus, as in the signature. */
export function parseQuery(target: string): Query {
  const query = new Map<string, string>();
  const start = target.indexOf('?');
  if (start < 0) return query;
  for (const pair of target.slice(start + 1).split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (!query.has(name)) query.set(name, equals < 0 ? '' : decode(pair.slice(equals + 1)));
  }
  return query;
}

/** Percent-decodes `text`, or leaves it as it is where that cannot be done. */
function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded UTF-8: what was sent stands for itself.
    return text;
  }
}
