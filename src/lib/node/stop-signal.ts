/** How often is looked whether the parent is still there. */
const parentCheckMs = 500;

/**
 * Aborted once the process is asked to stop by SIGTERM or SIGINT, which then no longer end it. More
 * of them change nothing: launchers forward what a terminal has already sent to everyone.
 *
 * With `endsWithParent` the end of the parent process counts as well. npm starts programs through a
 * shell and passes signals to that shell, which dies of them without a word to the program.
 */
export function stopSignal({ endsWithParent = false } = {}): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => controller.abort(new Error(`stopped by ${name}`)));
  }
  if (endsWithParent) {
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      controller.abort(new Error('the process that started it has ended'));
    }, parentCheckMs);
    timer.unref();
  }
  return controller.signal;
}
