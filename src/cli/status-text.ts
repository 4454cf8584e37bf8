import type { StatusReport } from './reports.ts';
import { textTable } from './text-table.ts';
import { bytesText, countText, dateText, factLines } from './words.ts';

/** A report for people. */
export function statusText(report: StatusReport): string {
  const { store, metadata, verification, vaults, archives } = report;
  const facts = factLines([
    ['Server', serverText(report)],
    ['Store', storeText(store)],
    ['Master key', report.masterKeyId],
    ['Vaults', vaults.count.toLocaleString('en-US')],
    ['Archives', `${archives.count.toLocaleString('en-US')}, ${bytesText(archives.bytes)}`],
    [
      'Journal',
      `${bytesText(metadata.journalBytes)}, to batch ${metadata.sequence}; last snapshot: ` +
        dateText(metadata.lastSnapshotAtMs),
    ],
    ['Scrub', scrubText(report.scrub)],
    ['Verified', verifiedText(report)],
    ['Damaged', verification.damagedCount === 0 ? 'none' : String(verification.damagedCount)],
    ['Workers', workersText(report)],
  ]);
  return verification.damaged.length === 0 ? facts : `${facts}\n${damagedTable(report)}`;
}

function serverText({ url, startedAtMs, version }: StatusReport): string {
  if (url === null) return 'no server runs; this is what the data directory holds';
  return `Firn ${version} at ${url}, since ${dateText(startedAtMs)}`;
}

function storeText({ condition, freeBytes, sizeBytes, id, format }: StatusReport['store']): string {
  const room = `${bytesText(freeBytes)} of ${bytesText(sizeBytes)} free`;
  return `${condition ?? 'closed'}, ${room}; ${id}, format ${format}`;
}

function scrubText(scrub: StatusReport['scrub']): string {
  if (scrub === null) return 'stands still';
  const { round, archivesDone, archivesTotal, bytesDone, bytesTotal, bytesPerSecond } = scrub;
  return (
    `round ${round}: ${archivesDone.toLocaleString('en-US')} of ` +
    `${countText(archivesTotal, 'archive')} read to the end, ${bytesText(bytesDone)} of ` +
    `${bytesText(bytesTotal)} read, ${bytesText(bytesPerSecond)}/s; last complete: ` +
    dateText(scrub.lastCompletedAtMs)
  );
}

function verifiedText({ verification: { unverifiedCount, oldestVerifiedAtMs } }: StatusReport) {
  const never = `never: ${countText(unverifiedCount, 'archive')}`;
  if (oldestVerifiedAtMs === null) return never;
  return `longest ago: ${dateText(oldestVerifiedAtMs)}; ${never}`;
}

function workersText({ workers }: StatusReport): string {
  if (workers.length === 0) return 'none run';
  const failing = workers.filter(({ state }) => state === 'failing');
  if (failing.length === 0) return `${workers.length}, none failing`;
  return failing.map(({ name, lastError }) => `${name} is failing: ${lastError}`).join('; ');
}

function damagedTable({ verification: { damaged } }: StatusReport): string {
  const rows = damaged.map(({ accountId, region, vaultName, archiveId, damage }) => ({
    ...{ account: accountId, region, vault: vaultName, archive: archiveId, damage: damage ?? '' },
  }));
  return textTable(['account', 'region', 'vault', 'archive', 'damage'], rows);
}
