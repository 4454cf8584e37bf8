import { resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import { Reading } from './reading.ts';
import type { SettingName } from './settings.ts';
import { type ConfigSources, collect } from './sources.ts';
import {
  type Address,
  isLoopback,
  parseAcceptance,
  parseAccessKeyId,
  parseAccountId,
  parseAddress,
  parseChoice,
  parseDuration,
  parseHostNames,
  parsePositiveDuration,
  parseSecretAccessKey,
  parseSize,
  parseStoreUrl,
  parseWholeNumber,
  parseYesOrNo,
} from './values.ts';

export type Timing = 'immediate' | 'aws';
export type LogLevel = 'info' | 'warn' | 'error';

/** A key pair that the settings give to the first account. */
export interface RootKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** How long a job takes at least, by tier; and a job over an inventory, which has no tier. */
export interface Delays {
  readonly Expedited: number;
  readonly Standard: number;
  readonly Bulk: number;
  readonly inventory: number;
}

/** The server's settings, checked as a whole and frozen. */
export interface Config {
  readonly listen: Address;
  /** PEM text; null where the listener speaks plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Absolute, as every path here. */
  readonly dataDirectory: string;
  /** The first account; what is null is generated. */
  readonly account: { readonly accountId: string | null; readonly rootKey: RootKey | null };
  readonly timing: Timing;
  readonly delaysMs: Delays;
  /** How often a changed vault is inventoried; 0: its inventory is live. */
  readonly inventoryIntervalMs: number;
  readonly jobExpiryMs: number;
  readonly uploadExpiryMs: number;
  readonly vaultLockExpiryMs: number;
  /** Of an account, in a region. */
  readonly vaultsMax: number;
  readonly vaultTagsMax: number;
  /** Of an account, in a region, at a time. */
  readonly capacityUnitsMax: number;
  /** Of an account, in a region, within five minutes; null: as many as are asked for. */
  readonly expeditedOnDemandMax: number | null;
  readonly drainMs: number;
  readonly bodyIdleMs: number;
  readonly clockSkewMs: number;
  /** Lower-case host names, each perhaps with a port. */
  readonly publicNames: readonly string[];
  readonly allowUtf8Descriptions: boolean;
  readonly logLevel: LogLevel;
  readonly metadata: { readonly path: string };
  readonly blobs: { readonly directory: string };
  /** The file with the master key; `isDefault` when it is the one in the data directory. */
  readonly masterKey: { readonly path: string; readonly isDefault: boolean };
  /** How fast the bytes of archives are read back and verified, again and again. */
  readonly scrub: { readonly periodMs: number; readonly bytesPerSecondMax: number };
  readonly adminListen: Address;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What `FIRN_TIMING` stands for. */
export const timings = {
  immediate: {
    Expedited: 0,
    Standard: 0,
    Bulk: 0,
    inventoryInterval: 0,
    expeditedOnDemand: Infinity,
  },
  aws: {
    Expedited: 3 * minuteMs,
    Standard: 4 * hourMs,
    Bulk: 8 * hourMs,
    inventoryInterval: 24 * hourMs,
    expeditedOnDemand: 3,
  },
} as const satisfies Record<Timing, unknown>;

/** Reads all settings once. Throws `ConfigError` with everything that is wrong with them. */
export function readConfig(sources: ConfigSources): Config {
  const reading = new Reading(collect(sources));
  const pathOf = (text: string) => resolve(sources.directory ?? '', text);
  refuseUnbuilt(reading);
  const timing = reading.value('timing', (text) => parseChoice<Timing>(text, ['immediate', 'aws']));
  const config: Config = {
    ...listenerOf(reading, (path) => sources.readFile(pathOf(path))),
    ...storesOf(reading, pathOf),
    account: accountOf(reading),
    timing,
    ...timesOf(reading, timing),
    ...limitsOf(reading, timing),
    scrub: {
      periodMs: reading.value('scrubPeriod', parsePositiveDuration),
      bytesPerSecondMax: reading.value('scrubRate', parseSize),
    },
    publicNames: reading.optional('publicNames', parseHostNames) ?? [],
    allowUtf8Descriptions: reading.value('utf8Descriptions', parseYesOrNo),
    logLevel: reading.value('logLevel', (text) =>
      parseChoice<LogLevel>(text, ['info', 'warn', 'error']),
    ),
  };
  if (reading.problems.length > 0) throw new ConfigError(reading.problems);
  return freeze(config);
}

/** The settings as data that may be shown and logged: without secrets. */
export function describeConfig(config: Config): Readonly<Record<string, unknown>> {
  const { tls, account } = config;
  const { rootKey } = account;
  return {
    ...config,
    tls: tls === null ? null : { cert: '(read)', key: '(secret)' },
    account: {
      ...account,
      rootKey: rootKey === null ? null : { ...rootKey, secretAccessKey: '(secret)' },
    },
  };
}

function listenerOf(reading: Reading, readText: (path: string) => string) {
  const listen = reading.value('listen', parseAddress);
  const cert = reading.optional('tlsCert', pemReader(readText, 'CERTIFICATE'));
  const key = reading.optional('tlsKey', pemReader(readText, 'PRIVATE KEY'));
  const wantsTls = reading.bothOrNeither('tlsCert', 'tlsKey');
  const allowsInsecure = reading.value('insecureListen', parseYesOrNo);
  if (!wantsTls && !allowsInsecure && !isLoopback(listen.host)) {
    reading.refuse(
      'listen',
      'can be reached by others, and there is no TLS; set FIRN_TLS_CERT and FIRN_TLS_KEY, listen ' +
        'on 127.0.0.1, or accept the risk with FIRN_INSECURE_LISTEN=yes',
    );
  }
  const adminListen = reading.value('adminListen', parseAddress);
  if (!allowsInsecure && !isLoopback(adminListen.host)) {
    reading.refuse(
      'adminListen',
      'can be reached by others, and the admin endpoint speaks no TLS; listen on 127.0.0.1, or ' +
        'accept the risk with FIRN_INSECURE_LISTEN=yes',
    );
  }
  return { listen, tls: cert === null || key === null ? null : { cert, key }, adminListen };
}

function pemReader(readText: (path: string) => string, kind: string) {
  return (path: string): string => {
    const pem = readText(path);
    if (pem.includes(`${kind}-----`)) return pem;
    throw new Error(`there is no PEM block of a ${kind.toLowerCase()} in it`);
  };
}

function storesOf(reading: Reading, pathOf: (text: string) => string) {
  const dataDirectory = reading.value('dataDir', pathOf);
  const metadataPath = reading.value('metadataUrl', (text) =>
    parseStoreUrl(text, 'sqlite', 'its rows in SQLite'),
  );
  const blobsPath = reading.value('blobsUrl', (text) =>
    parseStoreUrl(text, 'disk', 'archives on local disks'),
  );
  const masterKeyPath = reading.optional('masterKeyFile', pathOf);
  return {
    dataDirectory,
    masterKey: {
      path: masterKeyPath ?? resolve(dataDirectory, 'master.key'),
      isDefault: masterKeyPath === null,
    },
    metadata: { path: resolve(dataDirectory, pathOrDefault(metadataPath, 'metadata.sqlite')) },
    blobs: { directory: resolve(dataDirectory, pathOrDefault(blobsPath, 'blobs')) },
  };

  function pathOrDefault(path: string, name: string): string {
    return path === '' ? name : pathOf(path);
  }
}

function accountOf(reading: Reading): Config['account'] {
  const accountId = reading.optional('accountId', parseAccountId);
  const accessKeyId = reading.optional('rootAccessKeyId', parseAccessKeyId);
  const secretAccessKey = reading.optional('rootSecretAccessKey', parseSecretAccessKey);
  reading.bothOrNeither('rootAccessKeyId', 'rootSecretAccessKey');
  const isWhole = accessKeyId !== null && secretAccessKey !== null;
  return { accountId, rootKey: isWhole ? { accessKeyId, secretAccessKey } : null };
}

function timesOf(reading: Reading, timing: Timing) {
  const usual = timings[timing];
  const duration = (name: SettingName, otherwise: number) =>
    reading.optional(name, parseDuration) ?? otherwise;
  const standard = duration('standardDelay', usual.Standard);
  return {
    delaysMs: {
      Expedited: duration('expeditedDelay', usual.Expedited),
      Standard: standard,
      Bulk: duration('bulkDelay', usual.Bulk),
      inventory: standard,
    },
    inventoryIntervalMs: duration('inventoryInterval', usual.inventoryInterval),
    jobExpiryMs: reading.value('jobExpiry', parsePositiveDuration),
    uploadExpiryMs: reading.value('uploadExpiry', parsePositiveDuration),
    vaultLockExpiryMs: reading.value('vaultLockExpiry', parsePositiveDuration),
    drainMs: reading.value('drainTimeout', parseDuration),
    bodyIdleMs: reading.value('bodyIdleTimeout', parseDuration),
    clockSkewMs: reading.value('clockSkew', parseDuration),
  };
}

function limitsOf(reading: Reading, timing: Timing) {
  const expedited = reading.optional('expeditedOnDemand', parseAcceptance);
  const expeditedMax = expedited ?? timings[timing].expeditedOnDemand;
  return {
    vaultsMax: reading.value('vaultsMax', parseWholeNumber),
    vaultTagsMax: reading.value('vaultTagsMax', parseWholeNumber),
    capacityUnitsMax: reading.value('capacityUnitsMax', parseWholeNumber),
    expeditedOnDemandMax: expeditedMax === Infinity ? null : expeditedMax,
  };
}

/** Settings of the run contract that a later version honours: better refused than ignored. */
function refuseUnbuilt(reading: Reading): void {
  const notYet = 'is not supported by this version yet';
  if (reading.isGiven('disks')) {
    reading.refuse(
      'disks',
      `${notYet}: archives lie in one directory; leave it out, and name the directory with ` +
        'FIRN_BLOBS_URL=disk:/path',
    );
  }
  if (reading.textOf('redundancy') !== 'none') {
    reading.refuse('redundancy', `${notYet}: archives are kept once; leave it out, or write none`);
  }
}

function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) freeze(member);
  }
  return Object.freeze(value);
}
