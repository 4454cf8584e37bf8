import type { Config } from '../../config/config.ts';
import { type CliCommand, isGiven } from '../command.ts';
import { requireData } from '../data-directory.ts';
import { dated } from '../dated.ts';
import type { Host } from '../host.ts';
import { Progress } from '../progress.ts';
import type { CheckEvent, CheckReport } from '../reports.ts';
import { settingFlags, settingOptions } from '../setting-options.ts';
import { textTable } from '../text-table.ts';
import { bytesText, countText, durationText, factLines } from '../words.ts';

export const check: CliCommand = {
  name: 'check',
  summary: 'Read everything back and compare it with what was stored, also while the server runs.',
  description:
    'Every byte of every archive is read and verified, and so is what the database can be made ' +
    'again from. Nothing is changed. Exits with 0 when all is sound, and with 1, naming each ' +
    'damaged archive, when it is not.',
  options: settingOptions('store'),
  examples: ['firn check', 'firn check --json > check.json'],
  async run(options, host) {
    const config = host.readConfig(settingFlags(options, 'store'));
    requireData(config, host);
    const json = isGiven(options, 'json');
    const report = await checkWithProgress(config, host, json);
    host.print(json ? `${JSON.stringify(dated(report), null, 2)}\n` : reportText(report));
    if (!report.isSound) throw new Error(verdict(report));
  },
};

async function checkWithProgress(config: Config, host: Host, json: boolean): Promise<CheckReport> {
  using progress = new Progress(host, { json });
  return await host.check(config, (event) => {
    const text = progressText(event);
    if (text !== undefined) progress.show(text);
  });
}

/** What goes on in each phase, by the name that the check gives it. */
const phases: Readonly<Record<string, string>> = {
  recovery: 'reading snapshots and journal',
  database: 'comparing indexes of the database with its tables',
  archives: 'reading archives',
  outputs: 'reading outputs of jobs',
  uploads: 'reading parts of uploads',
  vaults: 'adding up vaults',
  orphans: 'looking for blobs that no row names',
};

/** Nothing for what stands in the report anyway. */
function progressText(event: CheckEvent): string | undefined {
  if (event.kind === 'phase') return phases[event.phase] ?? event.phase;
  if (event.kind !== 'progress') return undefined;
  const { archivesChecked, archivesTotal, bytesRead, bytesTotal } = event;
  const percent = bytesTotal === 0 ? 100 : Math.floor((100 * bytesRead) / bytesTotal);
  return (
    `${percent} %: ${archivesChecked.toLocaleString('en-US')} of ` +
    `${countText(archivesTotal, 'archive')}, ${bytesText(bytesRead)} of ${bytesText(bytesTotal)}`
  );
}

function reportText(report: CheckReport): string {
  const { orphans, recovery, durationMs } = report;
  const facts = factLines([
    ['Read', readText(report)],
    ['Recovery', recoveryText(recovery)],
    ['Orphans', `${countText(orphans.count, 'blob')}, ${bytesText(orphans.sizeBytes)}`],
    ['Took', durationText(durationMs)],
    ['Damaged', report.damagedCount === 0 ? 'none' : countText(report.damagedCount, 'archive')],
  ]);
  const texts = [...allProblems(report), ...report.notes].map((text) => `${text}\n`);
  return [
    facts,
    report.damaged.length === 0 ? '' : `\n${damagedTable(report)}`,
    texts.length === 0 ? '' : `\n${texts.join('')}`,
  ].join('');
}

function readText(report: CheckReport): string {
  const { archivesChecked, outputsChecked, partsChecked, bytesRead } = report;
  const what = [
    countText(archivesChecked, 'archive'),
    `${countText(outputsChecked, 'output')} of jobs`,
    ...(partsChecked === 0 ? [] : [`${countText(partsChecked, 'part')} of open uploads`]),
    bytesText(bytesRead),
  ];
  return what.join(', ');
}

function recoveryText(recovery: CheckReport['recovery']): string {
  if (recovery === null) return 'nothing is kept for it';
  const { snapshotCount, batchCount } = recovery;
  return `${countText(snapshotCount, 'snapshot')}, ${countText(batchCount, 'batch', 'batches')}`;
}

function damagedTable({ damaged }: CheckReport): string {
  const rows = damaged.map(({ accountId, region, vaultName, archiveId, damage }) => ({
    ...{ account: accountId ?? '-', region: region ?? '-', vault: vaultName ?? '(deleted)' },
    ...{ archive: archiveId, damage },
  }));
  return textTable(['account', 'region', 'vault', 'archive', 'damage'], rows);
}

function allProblems({ problems, recovery }: CheckReport): readonly string[] {
  return [...problems, ...(recovery?.problems ?? [])];
}

function verdict(report: CheckReport): string {
  const { damagedCount, archivesChecked } = report;
  const { length } = allProblems(report);
  const parts = [
    damagedCount === 0 ? '' : `${damagedCount} of ${countText(archivesChecked, 'archive')} damaged`,
    length === 0 ? '' : `${countText(length, 'other problem')} found`,
  ];
  return `Not all is sound: ${parts.filter((part) => part !== '').join(', ')}.`;
}
