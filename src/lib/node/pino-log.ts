import { writeSync } from 'node:fs';
import { pino } from 'pino';
import type { Facts, Log } from '../log.ts';

export interface PinoLogOptions {
  /** The least important events that are written. */
  readonly level: 'info' | 'warn' | 'error';
  /** Where the lines go; standard error if left out, because standard output is for people. */
  readonly destination?: { write(line: string): void };
}

/**
 * A log of JSON lines: `{"level":"info","time":"2026-01-31T14:26:33.031Z","event":"job.ended",…}`.
 * Errors among the facts are written with their stack and their causes.
 */
export function pinoLog({ level, destination }: PinoLogOptions): Log {
  const stream = destination ?? standardError;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return {
    info: (event, facts) => logger.info(lineOf(event, facts)),
    warn: (event, facts) => logger.warn(lineOf(event, facts)),
    error: (event, facts) => logger.error(lineOf(event, facts)),
  };
}

/** Written at once, in order: the last lines before an end are the ones that are needed. */
const standardError = {
  write(line: string): void {
    try {
      writeSync(2, line);
    } catch {
      // A log that can't be written, on a full disk say, must not keep the server from its work.
      // There is no other place to tell it.
    }
  },
};

function lineOf(event: string, facts: Facts = {}): Record<string, unknown> {
  const line: Record<string, unknown> = { event };
  for (const [name, value] of Object.entries(facts)) {
    line[name] = value instanceof Error ? pino.stdSerializers.errWithCause(value) : value;
  }
  return line;
}
