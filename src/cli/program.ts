import { Command, Option } from 'commander';
import { type CliCommand, type CliOption, commonOptions, optionName } from './command.ts';
import { accountCreate } from './commands/account-create.ts';
import { accountList } from './commands/account-list.ts';
import { check } from './commands/check.ts';
import { keysRotate } from './commands/keys-rotate.ts';
import { repair } from './commands/repair.ts';
import { serve } from './commands/serve.ts';
import { status } from './commands/status.ts';
import type { Host } from './host.ts';

/** Every command, in the order of the help. */
export const commands: readonly CliCommand[] = [
  serve,
  status,
  check,
  repair,
  accountCreate,
  accountList,
  keysRotate,
];

/** What the first words of a command with two words are about. */
export const groups: Readonly<Record<string, string>> = {
  account: 'Accounts and their root access keys.',
  keys: 'The master key, under which everything is encrypted at rest.',
};

/** Builds the program. Parsing throws Commander's errors, and what a command throws. */
export function buildProgram(host: Host, version: string): Command {
  const program = configured(new Command('firn'), host)
    .description('Self-hosted archive server that speaks the Amazon S3 Glacier vault API.')
    .version(version, '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print help for a command.')
    .helpCommand('help [command]', 'Print help for a command.')
    .addHelpText('after', examplesText(['firn serve', 'firn account create --name backup']));
  const parents = new Map<string, Command>();
  for (const command of commands) {
    const [first = '', second] = command.name.split(' ');
    if (second === undefined) {
      addCommand({ parent: program, word: first, command, host });
      continue;
    }
    const parent = parents.get(first) ?? configured(program.command(first), host);
    parents.set(first, parent.description(groups[first] ?? ''));
    addCommand({ parent, word: second, command, host });
  }
  return program;
}

/** Commander's own errors are thrown, not printed: one place reports them all. */
function configured(command: Command, host: Host): Command {
  return command.exitOverride().configureOutput({
    writeOut: host.print,
    writeErr: host.printError,
    outputError: () => {},
  });
}

function addCommand(what: {
  readonly parent: Command;
  readonly word: string;
  readonly command: CliCommand;
  readonly host: Host;
}): void {
  const { command, host } = what;
  const options = [...command.options, ...commonOptions];
  const added = configured(what.parent.command(what.word), host)
    .summary(command.summary)
    .description(`${command.summary}\n\n${command.description}`)
    .helpOption('-h, --help', 'Print this help.')
    .allowExcessArguments(false)
    .addHelpText('after', examplesText(command.examples));
  for (const option of options) added.addOption(toCommander(option));
  added.action(async (given: Readonly<Record<string, string | true | undefined>>) => {
    const byName = options.map((option) => {
      const name = optionName(option);
      return [name, given[new Option(option.flags).attributeName()]] as const;
    });
    await command.run(Object.fromEntries(byName), host);
  });
}

function toCommander(option: CliOption): Option {
  const made = new Option(option.flags, option.summary);
  if (option.required === true) made.makeOptionMandatory();
  return made;
}

function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}\n`).join('')}`;
}
