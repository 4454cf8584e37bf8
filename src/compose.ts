import { Authenticator } from './auth/authenticate.ts';
import { Authorizer } from './auth/authorize.ts';
import type { Config } from './config/config.ts';
import { isLoopback } from './config/values.ts';
import { Accounts } from './domain/accounts.ts';
import { Archives } from './domain/archives.ts';
import { Jobs } from './domain/jobs.ts';
import { Markers } from './domain/markers.ts';
import { Pins } from './domain/pins.ts';
import { Vaults } from './domain/vaults.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { Bell } from './lib/bell.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import type { RandomBytes } from './lib/random.ts';
import type { Services } from './operations/handler.ts';
import type { MetadataStore } from './storage/metadata-store.ts';
import { openMetadata, openStores, type Stores } from './storage/open.ts';
import { welcome } from './welcome.ts';
import { ExpireJobs } from './workers/expire-jobs.ts';
import { ForgetArchives } from './workers/forget-archives.ts';
import { RefreshInventories } from './workers/refresh-inventories.ts';
import { RetrieveArchives } from './workers/retrieve-archives.ts';
import { WorkerRunner } from './workers/runner.ts';
import { SweepOrphans } from './workers/sweep-orphans.ts';
import { TakeInventories } from './workers/take-inventories.ts';
import type { Worker } from './workers/worker.ts';

/** What the process gives to what runs in it. */
export interface Host {
  readonly log: Log;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

/** A server that answers requests. */
export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:8480` */
  readonly url: string;
}

/** Starts a server; resolves once it answers. Disposing of it drains it and closes its stores. */
export async function start(
  config: Config,
  host: Host & { readonly print?: (text: string) => void },
): Promise<RunningServer> {
  await using started = new AsyncDisposableStack();
  const stores = started.use(await openStores(config, host));
  await stores.metadata.write(async ({ jobs, vaults }) => {
    // Alone on the store: what an earlier server held when it ended is free again.
    await jobs.releaseLeases();
    // Inventories that nobody will refresh must not keep what was removed since.
    if (isLive(config)) await vaults.clearLastInventories();
  });
  const accounts = new Accounts({
    store: stores.metadata,
    ...host,
    rootKey: config.account.rootKey,
  });
  const first = await accounts.ensureFirst(config.account.accountId);
  const parts = await assemble(config, host, stores);

  const runner = new WorkerRunner({ workers: parts.workers, ...host });
  runner.start();
  started.defer(() => runner.stop());

  const server = createServer(config, host, { accounts, services: parts.services });
  const { port } = await server.listen(config.listen);
  started.defer(() => server.close(config.drainMs));

  const url = urlOf(config, port);
  host.log.info('server.started', { url, dataDirectory: config.dataDirectory });
  if (config.tls === null && !isLoopback(config.listen.host)) {
    const harm = 'Whoever sits on the network between can read archives on their way.';
    host.log.warn('listener.insecure', { url, harm });
  }
  if (host.print !== undefined) {
    host.print(welcome({ url, dataDirectory: config.dataDirectory, ...first }));
    if (first.isNew || first.unseenKey !== null) await accounts.noteShown(first);
  }
  const stopping = started.move();
  return { url, [Symbol.asyncDispose]: () => stopping.disposeAsync() };
}

/** Runs a server until the signal is aborted; resolves when it has stopped cleanly. */
export async function serve(
  config: Config,
  host: Host & { readonly print: (text: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  await using _server = await start(config, host);
  await aborted(host.signal);
  host.log.info('server.stopping');
}

/** Opens the accounts of a data directory, also while a server runs on it. */
export async function openAccounts(
  config: Config,
  host: Host,
): Promise<{ readonly accounts: Accounts } & AsyncDisposable> {
  const store = await openMetadata(config, host);
  const accounts = new Accounts({ store, ...host, rootKey: config.account.rootKey });
  return { accounts, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

async function assemble(
  config: Config,
  host: Host,
  { metadata: store, blobs }: Stores,
): Promise<{ readonly services: Services; readonly workers: readonly Worker[] }> {
  const arrivals = { retrievals: new Bell(), inventories: new Bell() };
  const removals = new Bell();
  const pins = new Pins();
  const markers = new Markers(await markerKey(store, host.randomBytes));
  const { timing } = config;
  const inventoryMode = isLive(config) ? 'live' : 'scheduled';
  const common = { ...host, store, blobs, pins, markers, removals, inventoryMode, timing } as const;
  const vaults = new Vaults(common);
  const archives = new Archives(common);
  const { delaysMs, jobExpiryMs: expiryMs } = config;
  const jobs = new Jobs({ ...common, delaysMs, expiryMs, arrivals });
  const workers: Worker[] = [
    new RetrieveArchives({ ...common, jobs, arrivals: arrivals.retrievals }),
    new TakeInventories({ ...common, jobs, arrivals: arrivals.inventories }),
    new ExpireJobs(common),
    new ForgetArchives(common),
    new SweepOrphans(common),
  ];
  if (!isLive(config)) {
    workers.push(new RefreshInventories({ ...common, intervalMs: config.inventoryIntervalMs }));
  }
  return { services: { vaults, archives, jobs }, workers };
}

function createServer(
  config: Config,
  host: Host,
  { accounts, services }: { readonly accounts: Accounts; readonly services: Services },
): HttpServer {
  const authenticator = new Authenticator({
    credentials: (accessKeyId) => accounts.credential(accessKeyId),
    clock: host.clock,
    skewMs: config.clockSkewMs,
    publicNames: config.publicNames,
  });
  return createHttpServer({
    ...host,
    authenticator,
    authorizer: new Authorizer({ accounts }),
    services,
    ...(config.tls === null ? {} : { tls: config.tls }),
    bodyIdleMs: config.bodyIdleMs,
    allowUtf8Descriptions: config.allowUtf8Descriptions,
    health: () => ({ status: 'ok' }),
  });
}

/** Whether totals and inventories are exact at the moment of asking. */
function isLive({ inventoryIntervalMs }: Config): boolean {
  return inventoryIntervalMs === 0;
}

/** The secret that seals markers: made once, the same after each restart. */
function markerKey(store: MetadataStore, randomBytes: RandomBytes): Promise<Uint8Array> {
  return store.write(async ({ facts }) => {
    const known = await facts.get('markers.key');
    if (known !== undefined) return Buffer.from(known, 'base64');
    const key = Buffer.from(randomBytes(32));
    await facts.set('markers.key', key.toString('base64'));
    return key;
  });
}

function urlOf({ listen, tls }: Config, port: number): string {
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return `${tls === null ? 'http' : 'https'}://${host}:${port}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
