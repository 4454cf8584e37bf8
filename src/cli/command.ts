import type { Host } from './host.ts';

/** One option of a command. */
export interface CliOption {
  /** As Commander reads it: `--name <NAME>`. */
  readonly flags: string;
  readonly summary: string;
  readonly required?: true;
}

/** The command line is not usable as it is. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

/**
 * The values of the options that were given, by name without dashes: `{ 'data-dir': '/srv' }`. True
 * for one that was given without a value.
 */
export type OptionValues = Readonly<Record<string, string | true | undefined>>;

/** A command, as data: the program, its help and the reference are made of it. */
export interface CliCommand {
  /** Its words: `account create`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** What a reader of `--help` wants to know beside. */
  readonly description: string;
  readonly options: readonly CliOption[];
  readonly examples: readonly string[];
  readonly run: (options: OptionValues, host: Host) => Promise<void>;
}

/** Every command takes these. */
export const commonOptions: readonly CliOption[] = [
  { flags: '--json', summary: 'Print results and errors as JSON; `firn serve` only its errors.' },
  { flags: '--verbose', summary: 'Show the stack of an error.' },
];

/** Statuses that the program exits with. */
export const exitStatuses = {
  done: { status: 0, meaning: 'Done; for `firn serve`: stopped when it was asked to.' },
  failed: {
    status: 1,
    meaning: 'It failed, or found damage; one sentence on standard error says which.',
  },
  misused: { status: 2, meaning: 'The command line or the settings are not usable as they are.' },
} as const;

/** The name of an option without its dashes and value. */
export function optionName(option: CliOption): string {
  return /^--([a-z0-9-]+)/.exec(option.flags)?.[1] ?? option.flags;
}

/** Whether an option without a value was given. */
export function isGiven(options: OptionValues, name: string): boolean {
  return options[name] === true;
}

/** The text given for an option, or undefined. */
export function textOf(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return value === true ? undefined : value;
}
