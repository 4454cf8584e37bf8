import type { Setting } from '../config/setting.ts';
import { settingNames, settingOf } from '../config/settings.ts';
import type { CliOption, OptionValues } from './command.ts';

/** The settings as options: all of them, or those that say where the store is. */
export function settingOptions(which: 'all' | 'store'): readonly CliOption[] {
  const rows = settingNames.map(settingOf).filter((row) => which === 'all' || row.store === true);
  return rows.map(toOption);
}

/** Those of the given options that are settings. */
export function settingFlags(
  options: OptionValues,
  which: 'all' | 'store',
): Readonly<Record<string, string>> {
  const flags: Record<string, string> = {};
  for (const { flag } of settingNames
    .map(settingOf)
    .filter((row) => which === 'all' || row.store)) {
    const value = options[flag];
    // Only the flags of a yes or no can be given without a value.
    if (value !== undefined) flags[flag] = value === true ? 'yes' : value;
  }
  return flags;
}

const placeholders = {
  'account id': 'ID',
  address: 'ADDRESS:PORT',
  choice: '',
  directory: 'DIRECTORY',
  duration: 'DURATION',
  file: 'FILE',
  list: 'LIST',
  size: 'SIZE',
  text: 'TEXT',
  URL: 'URL',
  'whole number': 'NUMBER',
  'whole number, or `accept`': 'NUMBER|accept',
  'yes or no': 'yes|no',
} as const;

function toOption(setting: Setting): CliOption {
  const { flag, type, oneOf, summary, variable } = setting;
  const placeholder = oneOf?.join('|') ?? placeholders[type];
  const otherwise = setting.default ?? setting.unset;
  return {
    flags: type === 'yes or no' ? `--${flag} [${placeholder}]` : `--${flag} <${placeholder}>`,
    summary: `${summary.replaceAll('`', '')} (${variable}; ${otherwise?.replaceAll('`', '')})`,
  };
}
