import { type CliCommand, isGiven, Misuse, textOf } from '../command.ts';
import { requireData } from '../data-directory.ts';
import { dated } from '../dated.ts';
import type { Host, OpenStatus } from '../host.ts';
import type { ArchiveStatus, StatusReport } from '../reports.ts';
import { settingFlags, settingOptions } from '../setting-options.ts';
import { statusText } from '../status-text.ts';
import { dateText } from '../words.ts';

const archivesAtOnce = 1000;

export const status: CliCommand = {
  name: 'status',
  summary: 'Show how the server and its store are doing, also when no server runs.',
  description:
    'Shows the condition of the store, what it holds, how far the reading back of everything has ' +
    'come and what it found. With --archives it lists every archive with the date at which its ' +
    'bytes were last verified; with --json too, one JSON object per line. Exits with 1 when ' +
    'something that is shown is damaged, or the store has failed.',
  options: [
    { flags: '--archives', summary: 'List the archives instead.' },
    { flags: '--vault <NAME>', summary: 'Only those in vaults of this name; with --archives.' },
    ...settingOptions('store'),
  ],
  examples: [
    'firn status',
    'firn status --json',
    'firn status --archives --vault photos',
    "firn status --archives --json | jq -r 'select(.verifiedAt == null).archiveId'",
  ],
  async run(options, host) {
    const config = host.readConfig(settingFlags(options, 'store'));
    const vaultName = textOf(options, 'vault') ?? null;
    const wantsArchives = isGiven(options, 'archives');
    if (vaultName !== null && !wantsArchives) throw new Misuse('--vault goes with --archives');
    requireData(config, host);
    await using opened = (await host.findServer(config)) ?? (await host.openStatus(config));
    const json = isGiven(options, 'json');
    if (wantsArchives) await listArchives(opened, host, { json, vaultName });
    else await showReport(await opened.status.report(), host, json);
  },
};

async function showReport(report: StatusReport, host: Host, json: boolean): Promise<void> {
  host.print(json ? `${JSON.stringify(dated(report), null, 2)}\n` : statusText(report));
  if (report.store.condition === 'failed') {
    throw new Error(
      'A write was lost, so nothing is written any more: see what the log says of the disk, then ' +
        'restart the server.',
    );
  }
  refuseDamage(report.verification.damagedCount);
}

/** Page by page: there may be more archives than fit into memory. */
async function listArchives(
  { status }: OpenStatus,
  host: Host,
  { json, vaultName }: { readonly json: boolean; readonly vaultName: string | null },
): Promise<void> {
  let damagedCount = 0;
  let after: number | null = 0;
  while (after !== null) {
    const page = await status.archives({ after, limit: archivesAtOnce, vaultName });
    for (const archive of page.archives) {
      host.print(json ? `${JSON.stringify(dated(archive))}\n` : archiveLine(archive));
      if (archive.damage !== null) damagedCount += 1;
    }
    after = page.after;
  }
  refuseDamage(damagedCount);
}

/** Fields with tabs between them: the widths of those to come are not known. */
function archiveLine({ vaultName, archiveId, sizeBytes, verifiedAtMs, damage }: ArchiveStatus) {
  const fields = [vaultName, archiveId, String(sizeBytes), dateText(verifiedAtMs), damage ?? 'ok'];
  return `${fields.join('\t')}\n`;
}

function refuseDamage(count: number): void {
  if (count === 0) return;
  throw new Error(count === 1 ? 'One archive is damaged.' : `${count} archives are damaged.`);
}
