import { settingNames, settingOf } from '../../src/config/settings.ts';
import { code, pageHead, table } from '../markdown.ts';

export function settingsPage(): string {
  const rows = settingNames
    .map(settingOf)
    .map((setting) => [
      code(setting.variable),
      code(`--${setting.flag}`),
      setting.oneOf?.map(code).join(' or ') ?? setting.type,
      setting.default === null ? (setting.unset ?? '') : code(setting.default),
      setting.summary,
    ]);
  return `${pageHead('Settings', 'src/config/settings.ts')}\
Each setting is an environment variable, a flag of \`firn serve\`, and a line of the configuration
file. A flag wins over the variable, the variable over the file, and the file over the default. They
are read once, at the start, and checked as a whole: the server refuses to start with an unknown
name or a bad value, and says everything that is wrong at once. A variable that is empty counts as
one that is not set.

${table(['Variable', 'Flag', 'Type', 'Default', 'Meaning'], rows)}
## How values are written

- **Durations** have a number and a unit, \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`: \`0s\`, \`1500ms\`, \`90s\`, \`4h\`, \`2d\`.
- **Sizes** have a number and a unit, \`B\`, \`KiB\`, \`MiB\` or \`GiB\`: \`512B\`, \`64KiB\`, \`32MiB\`, \`1.5GiB\`.
- **Whole numbers** are digits: \`0\`, \`50\`, \`1000\`.
- **Addresses** have a host and a port: \`127.0.0.1:8480\`, \`[::1]:8480\`, \`localhost:0\`.
- **Yes or no** is \`yes\` or \`no\`; a flag without a value says \`yes\`.
- **Paths** that are relative begin at the working directory of the server.

## The configuration file

A JSON object, or lines of \`NAME=value\`, with the variables' names in both. A line that begins with
\`#\` is a comment, none can follow a value, and quotes around a value are taken off:

\`\`\`
# /etc/firn.conf
FIRN_DATA_DIR=/srv/firn
FIRN_LISTEN=127.0.0.1:9000
\`\`\`
`;
}
