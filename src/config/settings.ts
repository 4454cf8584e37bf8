import type { Setting } from './setting.ts';

/**
 * Every setting of the server, in the order of the reference. The first eighteen are the run
 * contract: names, defaults and meanings change only on purpose.
 */
export const settings = {
  listen: {
    variable: 'FIRN_LISTEN',
    flag: 'listen',
    type: 'address',
    default: '127.0.0.1:8480',
    summary: 'Address and port of the API; port 0 takes a free one.',
  },
  dataDir: {
    variable: 'FIRN_DATA_DIR',
    flag: 'data-dir',
    type: 'directory',
    default: './firn-data',
    summary: 'Everything that Firn keeps, when nothing else is said.',
    store: true,
  },
  accountId: {
    variable: 'FIRN_ACCOUNT_ID',
    flag: 'account-id',
    type: 'account id',
    default: null,
    unset: 'generated',
    summary: 'The 12-digit id of the first account.',
  },
  rootAccessKeyId: {
    variable: 'FIRN_ROOT_ACCESS_KEY_ID',
    flag: 'root-access-key-id',
    type: 'text',
    default: null,
    unset: 'generated',
    summary: 'Access key id of the root key of the first account; when it is set, it wins.',
  },
  rootSecretAccessKey: {
    variable: 'FIRN_ROOT_SECRET_ACCESS_KEY',
    flag: 'root-secret-access-key',
    type: 'text',
    default: null,
    unset: 'generated',
    summary: 'Secret of that root key; rather not as a flag, which others on the machine can see.',
    secret: true,
  },
  timing: {
    variable: 'FIRN_TIMING',
    flag: 'timing',
    type: 'choice',
    oneOf: ['immediate', 'aws'],
    default: 'immediate',
    summary:
      '`immediate`: jobs finish as soon as their work is done, and inventories are exact at the ' +
      "moment of asking. `aws`: Amazon's delays and daily inventories.",
  },
  expeditedDelay: {
    variable: 'FIRN_EXPEDITED_DELAY',
    flag: 'expedited-delay',
    type: 'duration',
    default: null,
    unset: '0s, or 3m with `FIRN_TIMING=aws`',
    summary: 'How long an Expedited retrieval takes at least.',
  },
  standardDelay: {
    variable: 'FIRN_STANDARD_DELAY',
    flag: 'standard-delay',
    type: 'duration',
    default: null,
    unset: '0s, or 4h with `FIRN_TIMING=aws`',
    summary: 'How long a Standard retrieval, or an inventory job, takes at least.',
  },
  bulkDelay: {
    variable: 'FIRN_BULK_DELAY',
    flag: 'bulk-delay',
    type: 'duration',
    default: null,
    unset: '0s, or 8h with `FIRN_TIMING=aws`',
    summary: 'How long a Bulk retrieval takes at least.',
  },
  inventoryInterval: {
    variable: 'FIRN_INVENTORY_INTERVAL',
    flag: 'inventory-interval',
    type: 'duration',
    default: null,
    unset: '0s, or 24h with `FIRN_TIMING=aws`',
    summary: 'How often a vault that changed is inventoried; with 0s its inventory is always live.',
  },
  metadataUrl: {
    variable: 'FIRN_METADATA_URL',
    flag: 'metadata-url',
    type: 'URL',
    default: 'sqlite:',
    summary: 'Where the rows are kept: `sqlite:` in the data directory, or `sqlite:/path/to/file`.',
    store: true,
  },
  blobsUrl: {
    variable: 'FIRN_BLOBS_URL',
    flag: 'blobs-url',
    type: 'URL',
    default: 'disk:',
    summary:
      'Where archives are kept: `disk:` in the data directory, or `disk:/path/to/directory`.',
    store: true,
  },
  disks: {
    variable: 'FIRN_DISKS',
    flag: 'disks',
    type: 'list',
    default: null,
    unset: 'one directory',
    summary: 'Several directories, one per physical disk. This version refuses it.',
  },
  redundancy: {
    variable: 'FIRN_REDUNDANCY',
    flag: 'redundancy',
    type: 'text',
    default: 'none',
    summary: 'How archives survive the loss of a disk. This version knows `none` only.',
  },
  masterKeyFile: {
    variable: 'FIRN_MASTER_KEY_FILE',
    flag: 'master-key-file',
    type: 'file',
    default: null,
    unset: '`master.key` in the data directory',
    summary:
      'File with the master key, under which everything is encrypted at rest: made at the first ' +
      'start, and never again while there is data. Keep a copy of it elsewhere.',
    store: true,
  },
  tlsCert: {
    variable: 'FIRN_TLS_CERT',
    flag: 'tls-cert',
    type: 'file',
    default: null,
    unset: 'no TLS',
    summary: 'PEM file with the certificate chain; the listener then speaks TLS.',
  },
  tlsKey: {
    variable: 'FIRN_TLS_KEY',
    flag: 'tls-key',
    type: 'file',
    default: null,
    unset: 'no TLS',
    summary: "PEM file with the certificate's private key.",
  },
  insecureListen: {
    variable: 'FIRN_INSECURE_LISTEN',
    flag: 'insecure-listen',
    type: 'yes or no',
    default: 'no',
    summary:
      'Allows a listener without TLS that others than this machine can reach, the admin endpoint ' +
      'too.',
  },
  adminListen: {
    variable: 'FIRN_ADMIN_LISTEN',
    flag: 'admin-listen',
    type: 'address',
    default: '127.0.0.1:0',
    summary:
      'Address and port of the admin endpoint, with metrics and health; port 0 takes a free one, ' +
      'which the commands find. It speaks no TLS: `FIRN_INSECURE_LISTEN=yes` allows one that ' +
      'others can reach.',
  },
  scrubPeriod: {
    variable: 'FIRN_SCRUB_PERIOD',
    flag: 'scrub-period',
    type: 'duration',
    default: '30d',
    summary: 'Within this time every archive is read back and verified once.',
  },
  scrubRate: {
    variable: 'FIRN_SCRUB_RATE',
    flag: 'scrub-rate',
    type: 'size',
    default: '32MiB',
    summary: 'How many bytes a second that reading takes at most.',
  },
  configFile: {
    variable: 'FIRN_CONFIG_FILE',
    flag: 'config',
    type: 'file',
    default: null,
    unset: 'no file',
    summary: 'File with settings: a JSON object, or lines of `NAME=value`.',
    store: true,
  },
  publicNames: {
    variable: 'FIRN_PUBLIC_NAMES',
    flag: 'public-names',
    type: 'list',
    default: null,
    unset: 'none',
    summary:
      'Host names, with commas between them, that requests may have been signed for beside the ' +
      'one they arrive with: for a proxy that rewrites it.',
  },
  clockSkew: {
    variable: 'FIRN_CLOCK_SKEW',
    flag: 'clock-skew',
    type: 'duration',
    default: '5m',
    summary: "How far the time of a signature may lie from the server's.",
  },
  bodyIdleTimeout: {
    variable: 'FIRN_BODY_IDLE_TIMEOUT',
    flag: 'body-idle-timeout',
    type: 'duration',
    default: '60s',
    summary: 'How long an upload may send nothing before it is given up.',
  },
  drainTimeout: {
    variable: 'FIRN_DRAIN_TIMEOUT',
    flag: 'drain-timeout',
    type: 'duration',
    default: '30s',
    summary: 'How long requests may still run after the server was asked to stop.',
  },
  jobExpiry: {
    variable: 'FIRN_JOB_EXPIRY',
    flag: 'job-expiry',
    type: 'duration',
    default: '24h',
    summary: 'How long a completed job and its output are kept.',
  },
  uploadExpiry: {
    variable: 'FIRN_UPLOAD_EXPIRY',
    flag: 'upload-expiry',
    type: 'duration',
    default: '24h',
    summary: 'How long a multipart upload may be idle before it is given up, with its parts.',
  },
  vaultLockExpiry: {
    variable: 'FIRN_VAULT_LOCK_EXPIRY',
    flag: 'vault-lock-expiry',
    type: 'duration',
    default: '24h',
    summary: 'How long a vault lock may be in progress before it is taken back.',
  },
  vaultsMax: {
    variable: 'FIRN_VAULTS_MAX',
    flag: 'vaults-max',
    type: 'whole number',
    default: '1000',
    summary: 'How many vaults an account may have in a region.',
  },
  vaultTagsMax: {
    variable: 'FIRN_VAULT_TAGS_MAX',
    flag: 'vault-tags-max',
    type: 'whole number',
    default: '50',
    summary: 'How many tags a vault may have.',
  },
  capacityUnitsMax: {
    variable: 'FIRN_CAPACITY_UNITS_MAX',
    flag: 'capacity-units-max',
    type: 'whole number',
    default: '2',
    summary: 'How many provisioned capacity units an account may have in a region at a time.',
  },
  expeditedOnDemand: {
    variable: 'FIRN_EXPEDITED_ON_DEMAND',
    flag: 'expedited-on-demand',
    type: 'whole number, or `accept`',
    default: null,
    unset: '`accept`, or 3 with `FIRN_TIMING=aws`',
    summary:
      'How many Expedited retrievals that no provisioned capacity covers an account may begin ' +
      'in a region within five minutes; `accept` sets no limit.',
  },
  utf8Descriptions: {
    variable: 'FIRN_UTF8_DESCRIPTIONS',
    flag: 'utf8-descriptions',
    type: 'yes or no',
    default: 'no',
    summary: 'Allows archive descriptions beyond the printable ASCII that Amazon allows.',
  },
  logLevel: {
    variable: 'FIRN_LOG_LEVEL',
    flag: 'log-level',
    type: 'choice',
    oneOf: ['info', 'warn', 'error'],
    default: 'info',
    summary: 'The least important events that are logged.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

/** The names of all settings, in the order of the table. */
export const settingNames = Object.keys(settings) as SettingName[];

/** The row of a setting, in the general type. */
export function settingOf(name: SettingName): Setting {
  return settings[name];
}
