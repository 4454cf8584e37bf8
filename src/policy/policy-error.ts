/** Thrown for a policy that cannot be accepted. The message is a sentence: what is wrong, and where. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

const quotedLengthMax = 80;

/** Text from a policy as it stands in a message: quoted, its control characters escaped, cut. */
export function quoted(text: string): string {
  const isLong = text.length > quotedLengthMax;
  return JSON.stringify(isLong ? `${text.slice(0, quotedLengthMax)}…` : text);
}
