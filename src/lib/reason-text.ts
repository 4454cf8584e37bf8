/**
 * Why something failed: the message of the error and those of what caused it, without their stacks.
 * For what fails by the state of a disk, where the lines of the program say nothing.
 */
export function reasonText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === '' ? error.name : error.message;
  if (error.cause === undefined) return own;
  const cause = reasonText(error.cause);
  // Many a message has that of its cause within it.
  return own.includes(cause) ? own : `${sentence(own)} Cause: ${cause}`;
}

/** `text` with a full stop at its end, and not with two. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
