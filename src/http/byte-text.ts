/** Texts of one character per byte, as headers are, and the UTF-8 that may be in them. */

/** The text that these bytes are in UTF-8, or undefined when they are not UTF-8. */
export function readUtf8(byteString: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(byteString, 'latin1'),
    );
  } catch {
    // Not UTF-8: the caller says what that means.
    return undefined;
  }
}

/** `text` in UTF-8, one character per byte: how it goes out in a header. */
export function writeUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** How many bytes `text` has in UTF-8. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
