import { type CliOption, commonOptions, exitStatuses } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/program.ts';
import { code, pageHead, table } from '../markdown.ts';

export function cliPage(): string {
  const statuses = Object.values(exitStatuses).map(({ status, meaning }) => [
    String(status),
    meaning,
  ]);
  const sections = commands.map(
    (command) => `## firn ${command.name}

${command.summary} ${command.description}

${optionsTable(command.options)}
\`\`\`
${command.examples.join('\n')}
\`\`\`
`,
  );
  return `${pageHead('Command line', 'src/cli/commands')}\
\`firn\` where it is installed, \`npx --no-install firn\` in the project. \`firn --help\` and
\`firn <command> --help\` print what follows; \`firn --version\` prints the version.

Results go to standard output, errors to standard error. An error is one sentence; with \`--json\` it
is a JSON object \`{"error": {"message": …}}\`, and with \`--verbose\` it shows its stack.

${table(['Exit status', 'Meaning'], statuses)}
Every command takes:

${optionsTable(commonOptions)}
${sections.join('\n')}`;
}

function optionsTable(options: readonly CliOption[]): string {
  return table(
    ['Option', 'Meaning'],
    options.map(({ flags, summary, required }) => [
      code(flags),
      required === true ? `${summary} Required.` : summary,
    ]),
  );
}
