/** How far the reading back of all archives has come. Kept as a fact, so that a restart goes on. */
export interface ScrubState {
  /** 1, 2, 3, … */
  readonly round: number;
  readonly startedAtMs: number;
  /** Archives up to this ordinal were read in the round. */
  readonly ordinal: number;
  readonly archivesDone: number;
  readonly bytesDone: number;
  /** Damaged archives that the round found. */
  readonly damagedCount: number;
  /** Whether the round came to the last archive. Those that are added from then on still count. */
  readonly isComplete: boolean;
  /** When a round came to the last archive last; null when none did. */
  readonly lastCompletedAtMs: number | null;
}

export function firstRound(nowMs: number): ScrubState {
  return {
    round: 1,
    startedAtMs: nowMs,
    ordinal: 0,
    archivesDone: 0,
    bytesDone: 0,
    damagedCount: 0,
    isComplete: false,
    lastCompletedAtMs: null,
  };
}

export function nextRound(state: ScrubState, nowMs: number): ScrubState {
  return {
    ...firstRound(nowMs),
    round: state.round + 1,
    lastCompletedAtMs: state.lastCompletedAtMs,
  };
}

/** One more archive was read. */
export function withArchive(
  state: ScrubState,
  archive: { readonly ordinal: number; readonly sizeBytes: number; readonly isDamaged: boolean },
): ScrubState {
  return {
    ...state,
    ordinal: archive.ordinal,
    archivesDone: state.archivesDone + 1,
    bytesDone: state.bytesDone + archive.sizeBytes,
    damagedCount: state.damagedCount + (archive.isDamaged ? 1 : 0),
  };
}

/** The round came to the last archive. */
export function completed(state: ScrubState, nowMs: number): ScrubState {
  return { ...state, isComplete: true, lastCompletedAtMs: nowMs };
}

/**
 * A clock that was set back would make the round last until it has caught up: then the round counts
 * as begun now.
 */
export function anchored(state: ScrubState, nowMs: number): ScrubState {
  return state.startedAtMs > nowMs ? { ...state, startedAtMs: nowMs } : state;
}

export function writeScrubState(state: ScrubState): string {
  return JSON.stringify(state);
}

/** Undefined when the text is none that this version writes: then the first round begins. */
export function parseScrubState(text: string): ScrubState | undefined {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const members = new Map<string, unknown>(Object.entries(value));
  const sample = firstRound(0);
  const isWhole = Object.keys(sample).every((name) => {
    const member = members.get(name);
    if (name === 'isComplete') return typeof member === 'boolean';
    return Number.isSafeInteger(member) || (name === 'lastCompletedAtMs' && member === null);
  });
  return isWhole ? { ...sample, ...value } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON is no state, as other JSON is not one.
    return undefined;
  }
}
