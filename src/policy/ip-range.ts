/** The addresses whose first bits are those of another one. */
export interface IpRange {
  readonly family: 4 | 6;
  /** The first address of the range, as a number of 32 or 128 bits. */
  readonly first: bigint;
  readonly prefixBits: number;
}

const bitsOf = { 4: 32, 6: 128 } as const;

/** `::ffff:0:0/96`: addresses of version 4 as version 6 writes them. */
const mappedPrefix = 0xffffn << 32n;
const mappedPrefixBits = 96;

/**
 * Reads a range such as `203.0.113.0/24` or `2001:db8::/32`, or one address, which is a range of
 * itself. Bits beyond the prefix are dropped, and what is of version 4 in the form of version 6
 * becomes version 4, so that there is one form of each range. Gives nothing for anything else.
 */
export function parseIpRange(text: string): IpRange | undefined {
  const [, address = '', prefix] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = address.includes(':') ? 6 : 4;
  const bits = family === 4 ? parseIpv4(address) : parseIpv6(address);
  const prefixBits = prefix === undefined ? bitsOf[family] : Number(prefix);
  if (bits === undefined || prefixBits > bitsOf[family]) return undefined;

  const hostBits = BigInt(bitsOf[family] - prefixBits);
  const first = (bits >> hostBits) << hostBits;
  if (family === 6 && first >> 32n === mappedPrefix >> 32n) {
    return { family: 4, first: first - mappedPrefix, prefixBits: prefixBits - mappedPrefixBits };
  }
  return { family, first, prefixBits };
}

function parseIpv4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let bits = 0n;
  for (const byte of match.slice(1)) {
    // Zeros in front mean octal to some programs, and so another address.
    if (Number(byte) > 255 || String(Number(byte)) !== byte) return undefined;
    bits = (bits << 8n) | BigInt(byte);
  }
  return bits;
}

const groupsOfIpv6 = 8;

function parseIpv6(text: string): bigint | undefined {
  const [left = '', right, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const leftGroups = parseGroups(left, right === undefined);
  const rightGroups = parseGroups(right ?? '', true);
  if (leftGroups === undefined || rightGroups === undefined) return undefined;

  const missing = groupsOfIpv6 - leftGroups.length - rightGroups.length;
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...leftGroups, ...new Array<bigint>(missing).fill(0n), ...rightGroups];
  return groups.reduce((bits, group) => (bits << 16n) | group, 0n);
}

/** Groups of 16 bits; the last two may be written as an address of version 4. */
function parseGroups(text: string, isEnd: boolean): readonly bigint[] | undefined {
  if (text === '') return [];
  const pieces = text.split(':');
  if (pieces.length > groupsOfIpv6) return undefined;
  const groups: bigint[] = [];
  for (const [index, piece] of pieces.entries()) {
    if (isEnd && index === pieces.length - 1 && piece.includes('.')) {
      const bits = parseIpv4(piece);
      if (bits === undefined) return undefined;
      groups.push(bits >> 16n, bits & 0xffffn);
    } else if (/^[0-9A-Fa-f]{1,4}$/.test(piece)) {
      groups.push(BigInt(`0x${piece}`));
    } else {
      return undefined;
    }
  }
  return groups;
}
