/**
 * Aborted once the process is asked to stop by SIGTERM or SIGINT, which then no longer end it. More
 * of them change nothing: launchers forward what a terminal has already sent to everyone.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => controller.abort(new Error(`stopped by ${name}`)));
  }
  return controller.signal;
}
