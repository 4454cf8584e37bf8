/** Resolves after a moment. Not a way to wait for something: for that there is `eventually`. */
export function moment(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Asks again and again until the answer is neither undefined nor false, and returns it. Rejects
 * when that takes too long.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { deadlineMs = 15_000, pauseMs = 4 } = {},
): Promise<T> {
  const expiresAtMs = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > expiresAtMs) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await moment(pauseMs);
  }
}
