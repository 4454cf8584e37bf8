/**
 * A pattern made ready: code points, and the two marks below for its wildcards. It is made of parts,
 * so that what a variable stands for is never taken for a wildcard.
 */
export type Wildcard = readonly number[];

/** `*`: any run of characters, also none. Negative, as no code point is. */
const anyRun = -1;
/** `?`: any one character. */
const anyOne = -2;

const asterisk = 0x2a;
const questionMark = 0x3f;

/** The pattern of `text`, in which `*` and `?` are wildcards. */
export function wildcardOf(text: string): Wildcard {
  return Array.from(literalOf(text), (point) => {
    if (point === asterisk) return anyRun;
    return point === questionMark ? anyOne : point;
  });
}

/** The pattern that matches `text` alone. */
export function literalOf(text: string): Wildcard {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/**
 * Whether the whole of `text` is as `pattern` says. Of the runs only the last one is ever made
 * longer, so that the work is at most the product of the two lengths, whatever somebody wrote.
 */
export function matches(pattern: Wildcard, text: string): boolean {
  let patternAt = 0;
  let textAt = 0;
  let afterRun = -1;
  let runEnd = 0;

  while (textAt < text.length) {
    const point = text.codePointAt(textAt) ?? 0;
    const wanted = pattern[patternAt];
    if (wanted === anyRun) {
      patternAt += 1;
      afterRun = patternAt;
      runEnd = textAt;
    } else if (wanted === anyOne || wanted === point) {
      patternAt += 1;
      textAt += widthOf(point);
    } else if (afterRun >= 0) {
      runEnd += widthOf(text.codePointAt(runEnd) ?? 0);
      patternAt = afterRun;
      textAt = runEnd;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === anyRun) patternAt += 1;
  return patternAt === pattern.length;
}

/** Code points beyond the first 65,536 take two places of a string. */
function widthOf(point: number): number {
  return point > 0xffff ? 2 : 1;
}
