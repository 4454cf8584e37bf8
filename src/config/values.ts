/** A value that a setting does not accept. The message says which rule, and what is accepted. */
export class BadValue extends Error {
  override readonly name = 'BadValue';
}

/** Where the server listens. */
export interface Address {
  /** A name or an IP address; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const durationMsMax = 3650 * unitsMs.d;

/** `1500ms`, `90s`, `3m`, `4h` or `2d` in milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new BadValue('is not a duration; write 0s, 90s, 5m, 4h or 2d');
  const ms = Math.round(Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs]);
  if (ms > durationMsMax) throw new BadValue('is longer than ten years (3650d)');
  return ms;
}

/** As `parseDuration`, for a time that something has to take. */
export function parsePositiveDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === 0) throw new BadValue('is no time at all; write a duration above 0s');
  return ms;
}

const wholeNumberMax = 1_000_000_000;

/** `0`, `50` or `1000`. */
export function parseWholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new BadValue('is not a whole number; write digits only, as 50');
  const number = Number(text);
  if (number > wholeNumberMax) throw new BadValue(`is more than ${wholeNumberMax}`);
  return number;
}

/** As `parseWholeNumber`; infinite for `accept`. */
export function parseAcceptance(text: string): number {
  if (text === 'accept') return Infinity;
  if (/^\d+$/.test(text)) return parseWholeNumber(text);
  throw new BadValue('is neither accept nor a whole number');
}

const unitsBytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const sizeBytesMax = 1024 * unitsBytes.GiB;

/** `512B`, `64KiB`, `32MiB` or `1.5GiB` in bytes: at least one. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/.exec(text);
  if (match === null) throw new BadValue('is not a size; write 512B, 64KiB, 32MiB or 1GiB');
  const bytes = Math.round(Number(match[1]) * unitsBytes[match[2] as keyof typeof unitsBytes]);
  if (bytes < 1) throw new BadValue('is less than one byte');
  if (bytes > sizeBytesMax) throw new BadValue('is more than 1024GiB');
  return bytes;
}

const accepted = 'write an address and a port, as 127.0.0.1:8480 or [::1]:8480';

export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined) throw new BadValue(`is not an address; ${accepted}`);
  if (host === '') {
    throw new BadValue(
      'does not say which address to listen on; write 127.0.0.1 before the port for this machine ' +
        'alone, 0.0.0.0 for everybody',
    );
  }
  if (port > 65_535) throw new BadValue('has a port beyond 65535');
  return { host, port };
}

/** Whether only this machine can reach a listener on `host`. */
export function isLoopback(host: string): boolean {
  return (
    host.toLowerCase() === 'localhost' ||
    host === '::1' ||
    /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(host)
  );
}

export function parseYesOrNo(text: string): boolean {
  // Two words and no others: some of these settings accept a risk, which nobody does by accident.
  if (text === 'yes') return true;
  if (text === 'no') return false;
  throw new BadValue('is neither yes nor no');
}

export function parseChoice<const T extends string>(text: string, choices: readonly T[]): T {
  const chosen = choices.find((choice) => choice === text);
  if (chosen === undefined) throw new BadValue(`is none of ${choices.join(', ')}`);
  return chosen;
}

export function parseAccountId(text: string): string {
  if (!/^\d{12}$/.test(text)) throw new BadValue('is not an account id: those have 12 digits');
  return text;
}

export function parseAccessKeyId(text: string): string {
  if (/^[A-Za-z0-9_-]{3,128}$/.test(text)) return text;
  throw new BadValue('is not an access key id: those have 3 to 128 of A-Z a-z 0-9 _ -');
}

/** The message must not show the value. */
export function parseSecretAccessKey(text: string): string {
  if (/^[\x21-\x7E]{8,256}$/.test(text)) return text;
  throw new BadValue('is not usable: a secret has 8 to 256 printable characters and no spaces');
}

const hostNamesMax = 16;

/** Host names with commas between them, each perhaps with a port, in lower case. */
export function parseHostNames(text: string): readonly string[] {
  const names = text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  for (const name of names) {
    if (!/^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.test(name)) {
      throw new BadValue(`holds ${JSON.stringify(name)}, which is not a host name`);
    }
  }
  // Each is another form of the request in which a signature may have been made.
  if (names.length > hostNamesMax) {
    throw new BadValue(`holds ${names.length} names, and at most ${hostNamesMax} are accepted`);
  }
  return names;
}

/** The path of a URL of `scheme`, which may be empty: what no other scheme is accepted for. */
export function parseStoreUrl(text: string, scheme: 'sqlite' | 'disk', whatFor: string): string {
  const given = /^([a-z0-9+]+):/i.exec(text)?.[1]?.toLowerCase();
  if (given === scheme) return text.slice(scheme.length + 1).replace(/^\/\//, '');
  const instead = `write ${scheme}: or ${scheme}:/path, or leave it out`;
  // The value is not shown: such URLs hold passwords.
  if (given === undefined) throw new BadValue(`is not a URL; ${instead}`);
  throw new BadValue(`begins with ${given}:, and this version keeps ${whatFor} only; ${instead}`);
}
