import { type CliCommand, isGiven } from '../command.ts';
import { requireData } from '../data-directory.ts';
import { settingFlags, settingOptions } from '../setting-options.ts';
import { textTable } from '../text-table.ts';

export const accountList: CliCommand = {
  name: 'account list',
  summary: 'Show the accounts, also while the server runs.',
  description: 'Secrets are not shown.',
  options: settingOptions('store'),
  examples: ['firn account list', 'firn account list --json'],
  async run(options, host) {
    const config = host.readConfig(settingFlags(options, 'store'));
    requireData(config, host);
    await using opened = (await host.findServer(config)) ?? (await host.openAccounts(config));
    const rows = (await opened.accounts.list()).map(({ accountId, name, createdAtMs }) => ({
      accountId,
      name,
      createdAt: new Date(createdAtMs).toISOString(),
    }));
    if (isGiven(options, 'json')) host.print(`${JSON.stringify(rows, null, 2)}\n`);
    else host.print(textTable(['accountId', 'name', 'createdAt'], rows));
  },
};
