import type { Config } from '../config/config.ts';
import type { Host } from './host.ts';

/** Throws when the settings name a data directory that was never used: a mistyped one, likely. */
export function requireData(config: Config, host: Host): void {
  if (host.hasData(config)) return;
  throw new Error(
    `There is no Firn data in ${config.dataDirectory}: name its directory with --data-dir or ` +
      'FIRN_DATA_DIR.',
  );
}
