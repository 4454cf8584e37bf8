/** A file of the store that was looked at. */
export interface InspectedFile {
  readonly path: string;
  /**
   * `repaired`: a copy of its header was damaged, and is whole again. Otherwise what is wrong with a
   * copy that could not be repaired, or with both.
   */
  readonly found: 'sound' | 'repaired' | { readonly damage: string };
}

/**
 * What a store can do about damage before somebody meets it. Two copies of what counts are worth
 * little when nobody notices that one of them is gone.
 */
export interface Upkeep {
  /**
   * Looks at the header of each file, and repairs what it can. No faster than what it yields is asked
   * for. Rejects with the signal's reason when that is aborted.
   */
  inspectHeaders(signal: AbortSignal): AsyncIterable<InspectedFile>;
}
