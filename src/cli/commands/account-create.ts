import { isAccountId } from '../../protocol/names.ts';
import { type CliCommand, isGiven, Misuse, textOf } from '../command.ts';
import { settingFlags, settingOptions } from '../setting-options.ts';

export const accountCreate: CliCommand = {
  name: 'account create',
  summary: 'Make another account with a root access key, also while the server runs.',
  description:
    'The account has vaults of its own and shares nothing with the others. The secret access key ' +
    'is shown this once.',
  options: [
    { flags: '--name <NAME>', summary: 'What people call the account.', required: true },
    { flags: '--account-id <ID>', summary: 'Its 12-digit id, instead of a generated one.' },
    ...settingOptions('store'),
  ],
  examples: ['firn account create --name backup', 'firn account create --name backup --json'],
  async run(options, host) {
    const config = host.readConfig(settingFlags(options, 'store'));
    const accountId = textOf(options, 'account-id');
    if (accountId !== undefined && !isAccountId(accountId)) {
      throw new Misuse(`--account-id: "${accountId}" is not an account id: those have 12 digits`);
    }
    if (!host.hasData(config)) {
      host.printError(
        `firn: there was no Firn data in ${config.dataDirectory} yet; the account is for a server ` +
          'that is started on it.\n',
      );
    }
    await using opened = (await host.findServer(config)) ?? (await host.openAccounts(config));
    const made = await opened.accounts.create({
      name: textOf(options, 'name') ?? '',
      ...(accountId === undefined ? {} : { accountId }),
    });
    const { accessKeyId, secretAccessKey, name } = made;
    const shown = { accountId: made.accountId, accessKeyId, secretAccessKey, name };
    if (isGiven(options, 'json')) host.print(`${JSON.stringify(shown, null, 2)}\n`);
    else
      for (const [key, value] of Object.entries(shown)) host.print(`${key.padEnd(16)} ${value}\n`);
  },
};
