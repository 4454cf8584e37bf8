import { CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { exitStatuses, Misuse } from './command.ts';
import type { Host } from './host.ts';
import { buildProgram } from './program.ts';

/** Runs one command line and answers the exit status. Prints errors; throws none. */
export async function run(args: readonly string[], host: Host, version: string): Promise<number> {
  try {
    await buildProgram(host, version).parseAsync([...args], { from: 'user' });
    return exitStatuses.done.status;
  } catch (error) {
    // Help and version that were asked for come as errors of status 0; help that answers a command
    // line without a command has been printed too.
    if (error instanceof CommanderError && error.exitCode === 0) return exitStatuses.done.status;
    if (!(error instanceof CommanderError && error.code === 'commander.help')) {
      report(error, args, host);
    }
    const isMisuse = [CommanderError, ConfigError, Misuse].some((kind) => error instanceof kind);
    return (isMisuse ? exitStatuses.misused : exitStatuses.failed).status;
  }
}

function report(error: unknown, args: readonly string[], host: Host): void {
  const messages = messagesOf(error);
  const stack = args.includes('--verbose') ? stackOf(error) : undefined;
  if (args.includes('--json')) {
    const shown = { message: messages.join('\n'), ...codeOf(error), ...(stack && { stack }) };
    host.printError(`${JSON.stringify({ error: shown })}\n`);
    return;
  }
  for (const message of messages) host.printError(`firn: ${message}\n`);
  if (stack !== undefined) host.printError(`${stack}\n`);
}

function messagesOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  // `error: unknown option '--nmae'\n(Did you mean --name?)`
  if (error instanceof CommanderError) {
    return [error.message.replace(/^error: /, '').replaceAll('\n', ' ')];
  }
  if (isBusyAddress(error)) {
    return [
      `${error.address}:${error.port} is taken by another program: choose another address with ` +
        '--listen or FIRN_LISTEN.',
    ];
  }
  // What failed first, and not what failed when that was being cleaned up.
  if (error instanceof SuppressedError) return messagesOf(error.suppressed);
  return [error instanceof Error ? error.message : String(error)];
}

function codeOf(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof ConfigError) return { code: 'ConfigError', problems: error.problems };
  const isCoded = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return isCoded ? { code: String(error.code) } : {};
}

/** The stack with those of the causes. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`;
}

/** Node's error for an address that somebody else listens on. */
function isBusyAddress(error: unknown): error is { address: string; port: number } {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
