import { isIP } from 'node:net';

/**
 * Which names a request may call this server by, in its `Host` header. A web page can have a name
 * of its own point to this machine, and its script then talks to what listens here, as if that were
 * the page's own server; but it cannot choose the header, which shows the page's name.
 */
export class OwnHost {
  readonly #names: ReadonlySet<string>;
  readonly #isWildcard: boolean;

  /** `names` are further ones, each perhaps with a port, which does not matter. */
  constructor({ host, names }: { readonly host: string; readonly names: readonly string[] }) {
    this.#isWildcard = host === '0.0.0.0' || host === '::';
    this.#names = new Set(['localhost', host.toLowerCase(), ...names.map(withoutPort)]);
  }

  includes(header: string | undefined): boolean {
    if (header === undefined) return false;
    const name = withoutPort(header);
    if (this.#names.has(name) || isLoopbackAddress(name)) return true;
    // Whoever listens everywhere has more addresses than are known here. An address is no name that
    // somebody could have point elsewhere.
    return this.#isWildcard && isIP(name) !== 0;
  }
}

/** `[::1]:8481` is `::1`, and `Localhost:8481` is `localhost`. */
function withoutPort(header: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header);
  return (match?.[1] ?? match?.[2] ?? header).toLowerCase();
}

function isLoopbackAddress(name: string): boolean {
  return name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}
