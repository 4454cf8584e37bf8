import { join } from 'node:path';

/** What a start tells the person in front of the terminal. */
export interface Start {
  readonly url: string;
  readonly dataDirectory: string;
  readonly accountId: string;
  /** Whether nobody has been told of the account yet. */
  readonly isNew: boolean;
  /** The root key, when it has yet to be shown. */
  readonly unseenKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** A file that is there wherever the server runs. */
const readme = join(import.meta.dirname, '../README.md');

/** The text of a start: the address, and at the first one the key and what to do with it. */
export function welcome(start: Start): string {
  const { url, dataDirectory, accountId, isNew, unseenKey } = start;
  const lines = [`Firn answers at ${url}`, `Account ${accountId}, data in ${dataDirectory}`, ''];
  if (unseenKey !== null) lines.push(...keyLines(unseenKey));
  if (isNew || unseenKey !== null) lines.push(...commandLines(start));
  return lines.join('\n');
}

function keyLines({ accessKeyId, secretAccessKey }: NonNullable<Start['unseenKey']>): string[] {
  return [
    'The root access key of the account is shown this once; keep it:',
    '',
    `  Access key id      ${accessKeyId}`,
    `  Secret access key  ${secretAccessKey}`,
    '',
  ];
}

function commandLines({ url, unseenKey }: Start): string[] {
  // A key that the settings gave is named, and not shown.
  const [id, secret] =
    unseenKey === null
      ? ['"$FIRN_ROOT_ACCESS_KEY_ID"', '"$FIRN_ROOT_SECRET_ACCESS_KEY"']
      : [unseenKey.accessKeyId, unseenKey.secretAccessKey];
  const target = `--endpoint-url '${reachable(url)}' --account-id - --vault-name my-first-vault`;
  return [
    'Three commands to paste into another terminal:',
    '',
    `export AWS_ACCESS_KEY_ID=${id} AWS_SECRET_ACCESS_KEY=${secret} AWS_DEFAULT_REGION=us-east-1`,
    `aws glacier create-vault ${target}`,
    `aws glacier upload-archive ${target} --body '${readme}'`,
    '',
  ];
}

/** A listener on every address is reached under its own machine's name. */
function reachable(url: string): string {
  return url.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/, '//localhost');
}
