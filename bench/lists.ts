import { settle } from './support/disk.ts';
import { FilledStores } from './support/filled-stores.ts';
import { fillExpired, fillLists, listed } from './support/list-rows.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { percentile } from './support/percentile.ts';
import { Figures } from './support/report.ts';
import { startServer } from './support/server.ts';
import { SignedConnection } from './support/signed-connection.ts';

/** As many pages of 50 as 100,000 rows make. */
const pagesPerList = 2000;
/** While jobs that expired are being removed: not for long. */
const pagesAmongExpired = 500;
const warmUpPages = 200;

const aim = 'at most 5';
const yardstick = 'DescribeVault';

export const lists: Measurement = {
  name: 'lists',
  summary: 'pages of lists with a hundred thousand rows behind them: latency',
  isOnDemand: true,
  async run(settings) {
    const { rows, say } = settings;
    const figures = new Figures();
    {
      await using server = await startServer(settings);
      using connection = new SignedConnection(server.port);
      await connection.send('PUT', `/-/vaults/${listed.vault}`);
    }
    say(`lists: putting in ${rows} vaults, jobs, uploads and parts`);
    const uploadId = await filling(settings, (stores) => fillLists(stores, rows));
    await measureLists(settings, uploadId, figures);
    await measureAmongExpired(settings, figures);
    return {
      measurement: 'lists',
      about: `pages of lists, one after the other, with ${rows} rows behind them`,
      figures: figures.list(),
      notes: [
        `${pagesPerList} pages of each list by their markers, from its start again after its end. A ` +
          `${yardstick} comes after each page, over the same connection: the cheapest signed request.`,
        `Of the jobs a thousandth failed, and a hundredth is in progress. ${yardstick} beside expired ` +
          'jobs, and the pages of these, are while a server that has just started removes them.',
      ],
    };
  },
};

async function filling<T>(
  { directory }: Settings,
  fill: (stores: FilledStores) => Promise<T>,
): Promise<T> {
  try {
    await using stores = await FilledStores.open(directory);
    return await fill(stores);
  } finally {
    await settle(directory);
  }
}

async function measureLists(settings: Settings, uploadId: string, figures: Figures): Promise<void> {
  const jobs = `/-/vaults/${listed.jobs}/jobs`;
  const uploads = `/-/vaults/${listed.uploads}/multipart-uploads`;
  const targets = {
    ListVaults: '/-/vaults',
    ListJobs: jobs,
    'ListJobs, completed=true': `${jobs}?completed=true`,
    'ListJobs, completed=false': `${jobs}?completed=false`,
    'ListJobs, statuscode=Failed': `${jobs}?statuscode=Failed`,
    ListMultipartUploads: uploads,
    ListParts: `${uploads}/${uploadId}`,
  };
  await using server = await startServer(settings);
  using connection = new SignedConnection(server.port);
  for (const target of Object.values(targets)) await pagesOf(connection, target, warmUpPages);
  for (let repeat = 1; repeat <= settings.repeats; repeat++) {
    settings.say(`lists: ${repeat} of ${settings.repeats}`);
    const beside: number[] = [];
    for (const [name, target] of Object.entries(targets)) {
      const pages = await pagesOf(connection, target, pagesPerList);
      addLatencies(figures, name, pages.own, aim);
      beside.push(...pages.beside);
    }
    addLatencies(figures, yardstick, beside);
  }
}

async function measureAmongExpired(settings: Settings, figures: Figures): Promise<void> {
  const { rows, repeats, say } = settings;
  for (let repeat = 1; repeat <= repeats; repeat++) {
    say(`lists: among expired jobs, ${repeat} of ${repeats}`);
    const vaultName = `lists-expired-${repeat}`;
    await filling(settings, (stores) => fillExpired(stores, vaultName, rows));
    await using server = await startServer(settings);
    using connection = new SignedConnection(server.port);
    const target = `/-/vaults/${vaultName}/jobs`;
    await pagesOf(connection, '/-/vaults', warmUpPages);
    const pages = await pagesOf(connection, target, pagesAmongExpired);
    addLatencies(figures, 'ListJobs, most of them expired', pages.own, aim);
    addLatencies(figures, `${yardstick}, beside expired jobs`, pages.beside);
  }
}

/** Milliseconds for each page, and for the yardstick after it. */
async function pagesOf(connection: SignedConnection, target: string, count: number) {
  const own: number[] = [];
  const beside: number[] = [];
  let marker: string | null = null;
  for (let page = 0; page < count; page++) {
    const { body, ms } = await connection.send('GET', withMarker(target, marker));
    own.push(ms);
    marker = (JSON.parse(body.toString()) as { Marker: string | null }).Marker;
    beside.push((await connection.send('GET', `/-/vaults/${listed.vault}`)).ms);
  }
  return { own, beside };
}

function withMarker(target: string, marker: string | null): string {
  if (marker === null) return target;
  return `${target}${target.includes('?') ? '&' : '?'}marker=${encodeURIComponent(marker)}`;
}

function addLatencies(figures: Figures, name: string, ms: readonly number[], aimOfP99 = ''): void {
  figures.add(`${name}, p50`, 'ms', percentile(ms, 0.5));
  figures.add(`${name}, p99`, 'ms', percentile(ms, 0.99), aimOfP99);
}
