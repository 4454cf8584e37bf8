/** What a start tells the person in front of the terminal. */
export interface Start {
  readonly url: string;
  readonly dataDirectory: string;
  readonly accountId: string;
  /** The root key, when it was made just now: it is shown once. */
  readonly newKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** The text of a start: the address, and at the first one the key and what to do with it. */
export function welcome({ url, dataDirectory, accountId, newKey }: Start): string {
  const lines = [`Firn answers at ${url}`, `Account ${accountId}, data in ${dataDirectory}`];
  if (newKey === null) return `${lines.join('\n')}\n`;
  const target = `--endpoint-url ${url} --account-id - --vault-name my-first-vault`;
  return [
    ...lines,
    '',
    'This is the first start. The root access key of the account is shown this once; keep it:',
    '',
    `  Access key id      ${newKey.accessKeyId}`,
    `  Secret access key  ${newKey.secretAccessKey}`,
    '',
    'Three commands to paste into another terminal:',
    '',
    `export AWS_ACCESS_KEY_ID=${newKey.accessKeyId} ` +
      `AWS_SECRET_ACCESS_KEY=${newKey.secretAccessKey} AWS_DEFAULT_REGION=us-east-1`,
    `aws glacier create-vault ${target}`,
    `aws glacier upload-archive ${target} --body README.md`,
    '',
  ].join('\n');
}
