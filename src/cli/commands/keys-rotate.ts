import { type CliCommand, isGiven } from '../command.ts';
import { requireData } from '../data-directory.ts';
import type { RotationReport } from '../reports.ts';
import { settingFlags, settingOptions } from '../setting-options.ts';
import { countText, factLines } from '../words.ts';

export const keysRotate: CliCommand = {
  name: 'keys rotate',
  summary: 'Put everything under a new master key, while no server runs.',
  description:
    'A new master key is added to the master key file, the key of each file of the store is ' +
    'wrapped with it, and the old master key is removed once nothing is under it any more. No ' +
    'archive is rewritten. It can be repeated when it was interrupted. Back up the master key ' +
    'file afterwards: without it nothing can be read.',
  options: settingOptions('store'),
  examples: ['firn keys rotate', 'firn keys rotate --data-dir /srv/firn --json'],
  async run(options, host) {
    const config = host.readConfig(settingFlags(options, 'store'));
    requireData(config, host);
    const report = await host.rotateKeys(config);
    const { path } = config.masterKey;
    if (isGiven(options, 'json')) {
      host.print(`${JSON.stringify({ ...report, masterKeyFile: path }, null, 2)}\n`);
    } else {
      host.print(reportText(report, path));
    }
    if (report.failed.length > 0) {
      throw new Error(
        `${countText(report.failed.length, 'file')} could not be put under the new key, so the ` +
          'old one is kept beside it: repeat the command when the cause is gone.',
      );
    }
  },
};

function reportText(report: RotationReport, path: string): string {
  const { keyId, rewrapped, skipped, failed, removedKeyIds } = report;
  return [
    factLines([
      ['Master key', keyId],
      ['Wrapped anew', countText(rewrapped, 'file')],
      ['Had it already', countText(skipped, 'file')],
      ['Keys removed', removedKeyIds.length === 0 ? 'none' : removedKeyIds.join(', ')],
    ]),
    ...failed.map((one) => `\n${one.path}: ${one.reason}`),
    failed.length === 0 ? '' : '\n',
    `\nBack up ${path} now, away from the data: without it nothing can be read.\n`,
  ].join('');
}
