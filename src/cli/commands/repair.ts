import { type CliCommand, isGiven, Misuse } from '../command.ts';
import { requireData } from '../data-directory.ts';
import { dated } from '../dated.ts';
import type { RepairReport, SalvageReport } from '../reports.ts';
import { settingFlags, settingOptions } from '../setting-options.ts';
import { countText, dateText, factLines } from '../words.ts';

export const repair: CliCommand = {
  name: 'repair',
  summary: 'Make the database again from what lies beside the archives, while no server runs.',
  description:
    'The database is made from the newest snapshot and the journal after it, and the one that ' +
    'was there is set aside, not deleted. A server that starts does the same by itself when it finds ' +
    'its database missing or damaged. Exits with 1 when something could not be brought back, and ' +
    'says what.',
  options: [
    { flags: '--rebuild', summary: 'What to do; there is nothing else yet.' },
    ...settingOptions('store'),
  ],
  examples: ['firn repair --rebuild', 'firn repair --rebuild --data-dir /srv/firn --json'],
  async run(options, host) {
    if (!isGiven(options, 'rebuild')) {
      throw new Misuse('say what to repair: --rebuild makes the database again');
    }
    const config = host.readConfig(settingFlags(options, 'store'));
    requireData(config, host);
    const report = await host.repair(config);
    if (isGiven(options, 'json')) host.print(`${JSON.stringify(dated(report), null, 2)}\n`);
    else host.print(reportText(report));
    const doubts = doubtsOf(report);
    if (doubts.length > 0) {
      throw new Error(
        'The database was made again, and not all that was in it is back: read what is missing ' +
          'before you start the server.',
      );
    }
  },
};

function reportText(report: RepairReport): string {
  const { setAside, salvage } = report;
  const doubts = doubtsOf(report).map((doubt) => `${doubt}\n`);
  return [
    factLines([
      ['Set aside', setAside ?? 'nothing: there was no database'],
      ['Made from', sourceText(report)],
      ['Salvaged', salvage === null ? 'nothing, since no row was lost' : salvagedText(salvage)],
    ]),
    doubts.length === 0 ? '' : `\n${doubts.join('')}`,
  ].join('');
}

function sourceText({ snapshot, batchCount }: RepairReport): string {
  if (snapshot === null) return batchCount === 0 ? 'nothing' : 'the journal alone';
  const after = batchCount === 0 ? 'alone' : 'and the journal after it';
  return `the snapshot of ${dateText(snapshot.takenAtMs)} ${after}`;
}

function salvagedText(salvage: SalvageReport): string {
  const { archivesMade, archivesRepointed, partsRepointed, vaultsMade } = salvage;
  const parts = partsRepointed === 0 ? '' : ` and ${countText(partsRepointed, 'part')}`;
  return (
    `${countText(archivesMade, 'archive')} and ${countText(vaultsMade, 'vault')} made of their ` +
    `blobs, ${countText(archivesRepointed, 'archive')}${parts} given other copies of theirs`
  );
}

/** What is missing or has to be looked at, as sentences. */
function doubtsOf({ lost, salvage }: RepairReport): readonly string[] {
  if (salvage === null) return lost;
  const { blobsUnreadableCount, archivesOfDeletedVaults, accountsWithoutRow } = salvage;
  const unreadable = `${countText(blobsUnreadableCount, 'blob')} without a row cannot be read.`;
  const ofDeleted =
    `${countText(archivesOfDeletedVaults, 'archive')} of deleted vaults, whose names others have ` +
    'now, were left alone.';
  return [
    ...lost,
    ...(blobsUnreadableCount === 0 ? [] : [unreadable]),
    ...(archivesOfDeletedVaults === 0 ? [] : [ofDeleted]),
    ...doubtsOfParts(salvage),
    settingsLost,
    ...accountsWithoutRow.map(
      (id) =>
        `The account ${id} owns vaults and has no access key: make it again with ` +
        `\`firn account create --account-id ${id} --name NAME\`.`,
    ),
  ];
}

/** Labels tell of archives alone, and so whatever was set is as it was before the lost changes. */
const settingsLost =
  'Tags, access policies, vault locks, notification settings, data retrieval policies and ' +
  'provisioned capacity cannot be made again from blobs: see whether each vault and account has its own.';

function doubtsOfParts({
  archivesIncomplete,
  archivesIncompleteCount,
  partsLeftAlone,
}: SalvageReport): readonly string[] {
  const others = archivesIncompleteCount - archivesIncomplete.length;
  const left =
    `${countText(partsLeftAlone, 'part')} of uploads that were not completed, or whose row is lost, ` +
    'were left alone: the server removes them after a week.';
  return [
    ...archivesIncomplete.map(
      ({ archiveId, vaultName, accountId, region, problem }) =>
        `The archive ${archiveId} of vault ${vaultName} of account ${accountId} in ${region} was ` +
        `uploaded in parts, and could not be made of them. ${problem}`,
    ),
    ...(others === 0 ? [] : [`So it is with ${countText(others, 'other archive')}.`]),
    ...(partsLeftAlone === 0 ? [] : [left]),
  ];
}
