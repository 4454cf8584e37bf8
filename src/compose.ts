import { healthOf } from './admin/health.ts';
import { Metrics } from './admin/metrics.ts';
import { createAdminServer, newAdminToken } from './admin/server.ts';
import { Status } from './admin/status.ts';
import { Authenticator } from './auth/authenticate.ts';
import { Authorizer } from './auth/authorize.ts';
import { assembleServices } from './compose-services.ts';
import { assembleWorkers, type Workers } from './compose-workers.ts';
import type { Config } from './config/config.ts';
import { isLoopback } from './config/values.ts';
import { Accounts } from './domain/accounts.ts';
import { Markers } from './domain/markers.ts';
import { Pins } from './domain/pins.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { Bell } from './lib/bell.ts';
import type { Clock } from './lib/clock.ts';
import { type Log, silentLog } from './lib/log.ts';
import { endpointPath } from './lib/node/admin-endpoint.ts';
import { packageVersion } from './lib/node/package-version.ts';
import type { RandomBytes } from './lib/random.ts';
import { TimeBounds } from './lib/time-bounds.ts';
import type { Services } from './operations/handler.ts';
import type { MetadataStore } from './storage/metadata-store.ts';
import { openStores, type Stores } from './storage/open.ts';
import { welcome } from './welcome.ts';
import { WorkerRunner } from './workers/runner.ts';

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

/** All that a server consists of, before it listens. */
interface Parts {
  readonly stores: Stores;
  readonly accounts: Accounts;
  readonly services: Services;
  readonly workers: Workers;
  readonly runner: WorkerRunner;
  readonly metrics: Metrics;
}

/** Starts a server; resolves once it answers. Disposing of it drains it and closes its stores. */
export async function start(
  config: Config,
  host: Host & { readonly print?: (text: string) => void },
): Promise<RunningServer> {
  await using started = new AsyncDisposableStack();
  const stores = started.use(await openStores(config, host));
  await beginAnew(stores.metadata, config);
  const rootKey = config.account.rootKey;
  const accounts = new Accounts({ store: stores.metadata, ...host, rootKey });
  const first = await accounts.ensureFirst(config.account.accountId);
  const parts = await assemble(config, host, { stores, accounts });

  parts.runner.start();
  started.defer(() => parts.runner.stop());

  const server = createServer(config, host, parts);
  const { port } = await server.listen(config.listen);
  started.defer(() => server.close(config.drainMs));
  const url = urlOf(config, port);

  const admin = createAdmin(config, host, { ...parts, url });
  await admin.listen(config.adminListen);
  started.defer(() => admin.close());

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

/** Opens the accounts of a data directory that no server runs on. */
export async function openAccounts(
  config: Config,
  host: Host,
): Promise<{ readonly accounts: Accounts } & AsyncDisposable> {
  const stores = await openStores(config, host);
  const accounts = new Accounts({
    store: stores.metadata,
    ...host,
    rootKey: config.account.rootKey,
  });
  return { accounts, [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose]() };
}

/** Alone on the stores: what an earlier server held when it ended is free again. */
async function beginAnew(store: MetadataStore, config: Config): Promise<void> {
  await store.write(async ({ jobs, vaults }) => {
    await jobs.releaseLeases();
    // Inventories that nobody will refresh must not keep what was removed since.
    if (isLive(config)) await vaults.clearLastInventories();
  });
}

async function assemble(
  config: Config,
  host: Host,
  { stores, accounts }: Pick<Parts, 'stores' | 'accounts'>,
): Promise<Parts> {
  const { metadata: store, blobs } = stores;
  const bells = {
    retrievals: new Bell(),
    inventories: new Bell(),
    removals: new Bell(),
    aborts: new Bell(),
    freed: new Bell(),
  };
  const pins = new Pins();
  const markers = new Markers(await markerKey(store, host.randomBytes));
  const { timing, delaysMs, jobExpiryMs: expiryMs, uploadExpiryMs, vaultLockExpiryMs } = config;
  const { vaultsMax, vaultTagsMax, capacityUnitsMax, expeditedOnDemandMax } = config;
  const inventoryMode = isLive(config) ? 'live' : 'scheduled';
  const { removals, aborts } = bells;
  const timeBounds = new TimeBounds({ ...host, longestMs: longestMsOf(config) });
  // Not one for all: where a clock was set right, the others would go by the wrong one for a month.
  const monthBounds = new TimeBounds({ ...host, log: silentLog, longestMs: longestMonthMs });
  const parts = { store, blobs, pins, timeBounds, monthBounds, markers, removals, aborts };
  const common = { ...host, ...parts, inventoryMode, timing, uploadExpiryMs } as const;
  const services = assembleServices({
    ...common,
    ...{ delaysMs, expiryMs, vaultLockExpiryMs, arrivals: bells },
    ...{ vaultsMax, vaultTagsMax, capacityUnitsMax, expeditedOnDemandMax },
  });
  const intervalMs = isLive(config) ? null : config.inventoryIntervalMs;
  const workers = assembleWorkers({
    ...common,
    ...{ stores, bells, jobs: services.jobs, scrub: config.scrub, inventoryIntervalMs: intervalMs },
  });
  const runner = new WorkerRunner({ workers: workers.all, ...host });
  return { stores, accounts, services, workers, runner, metrics: new Metrics() };
}

function createServer(
  config: Config,
  host: Host,
  { accounts, services, stores, metrics }: Parts,
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
    health: () => healthOf(stores.condition),
    observer: metrics.observe,
  });
}

function createAdmin(config: Config, host: Host, parts: Parts & { readonly url: string }) {
  const { stores, accounts, metrics, runner, workers, url } = parts;
  const version = packageVersion();
  const startedAtMs = host.clock.now();
  const status = new Status({
    rows: stores.metadata,
    clock: host.clock,
    source: {
      ...{ version, startedAtMs, url },
      masterKeyId: () => stores.masterKeyId,
      store: () => stores.describe(),
      metadata: () => stores.describeMetadata(),
      scrub: () => workers.scrub.progress,
      workers: () => runner.states,
    },
  });
  return createAdminServer({
    ...host,
    ...{ version, status, metrics, accounts },
    token: newAdminToken(host.randomBytes),
    endpointPath: endpointPath(config.dataDirectory),
    pid: process.pid,
    names: config.publicNames,
    health: () => healthOf(stores.condition),
  });
}

/** Whether totals and inventories are exact at the moment of asking. */
function isLive({ inventoryIntervalMs }: Config): boolean {
  return inventoryIntervalMs === 0;
}

/** As long lasts a capacity unit. */
const longestMonthMs = 31 * 24 * 60 * 60 * 1000;

/** As long lasts what else must not end too early because somebody sets the clock. */
function longestMsOf({ jobExpiryMs, uploadExpiryMs, vaultLockExpiryMs }: Config): number {
  return Math.max(jobExpiryMs, uploadExpiryMs, vaultLockExpiryMs);
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
