import assert from 'node:assert/strict';
import test from 'node:test';
import { limits } from '../protocol/limits.ts';
import { describeConfig, readConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigSources } from './sources.ts';

const cert = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const key = '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n';

function read(env: Record<string, string>, rest: Partial<ConfigSources> = {}) {
  const readFile = (path: string) => {
    throw new Error(`no such file: ${path}`);
  };
  return readConfig({ env, flags: {}, readFile, directory: '/srv', ...rest });
}

function problemsOf(env: Record<string, string>, rest: Partial<ConfigSources> = {}) {
  try {
    read(env, rest);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return [];
}

test('the defaults are those of the run contract', () => {
  assert.deepEqual(read({}), {
    listen: { host: '127.0.0.1', port: 8480 },
    tls: null,
    dataDirectory: '/srv/firn-data',
    account: { accountId: null, rootKey: null },
    timing: 'immediate',
    delaysMs: { Expedited: 0, Standard: 0, Bulk: 0, inventory: 0 },
    inventoryIntervalMs: 0,
    jobExpiryMs: 86_400_000,
    uploadExpiryMs: 86_400_000,
    vaultLockExpiryMs: 86_400_000,
    vaultsMax: 1000,
    vaultTagsMax: 50,
    capacityUnitsMax: 2,
    expeditedOnDemandMax: null,
    drainMs: 30_000,
    bodyIdleMs: 60_000,
    clockSkewMs: 300_000,
    publicNames: [],
    allowUtf8Descriptions: false,
    logLevel: 'info',
    metadata: { path: '/srv/firn-data/metadata.sqlite' },
    blobs: { directory: '/srv/firn-data/blobs' },
    masterKey: { path: '/srv/firn-data/master.key', isDefault: true },
    scrub: { periodMs: 30 * 86_400_000, bytesPerSecondMax: 32 * 1024 * 1024 },
    adminListen: { host: '127.0.0.1', port: 0 },
  });
});

test('the limits are those of the API, unless something else is said', () => {
  const config = read({});
  assert.equal(config.vaultsMax, limits.vaultsPerRegionMax);
  assert.equal(config.vaultTagsMax, limits.tagsPerVaultMax);
  assert.equal(config.capacityUnitsMax, limits.capacityUnitsMax);
  assert.equal(config.uploadExpiryMs, limits.uploadIdleMsMax);
  assert.equal(config.vaultLockExpiryMs, limits.vaultLockExpiryMs);
});

test('a flag wins over the environment, which wins over the file, which wins over the default', () => {
  const readFile = () => 'FIRN_LISTEN=127.0.0.1:1\nFIRN_TIMING=aws\nFIRN_DATA_DIR=/file\n';
  const config = read(
    { FIRN_CONFIG_FILE: 'firn.conf', FIRN_LISTEN: '127.0.0.1:2', FIRN_DATA_DIR: '/env' },
    { flags: { listen: '127.0.0.1:3', timing: undefined }, readFile },
  );
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 3 });
  assert.equal(config.dataDirectory, '/env');
  assert.equal(config.timing, 'aws');
});

test('`aws` timing is Amazon’s, and each delay alone overrides it', () => {
  const hour = 3_600_000;
  const aws = read({ FIRN_TIMING: 'aws' });
  assert.deepEqual(aws.delaysMs, {
    Expedited: 180_000,
    Standard: 4 * hour,
    Bulk: 8 * hour,
    inventory: 4 * hour,
  });
  assert.equal(aws.inventoryIntervalMs, 24 * hour);
  const mixed = read({ FIRN_TIMING: 'aws', FIRN_STANDARD_DELAY: '90s' });
  assert.equal(mixed.delaysMs.Standard, 90_000);
  assert.equal(mixed.delaysMs.inventory, 90_000);
  assert.equal(mixed.delaysMs.Bulk, 8 * hour);
  assert.equal(read({ FIRN_BULK_DELAY: '1500ms' }).delaysMs.Bulk, 1500);
});

test('a listener that others can reach needs TLS or the word that it need not', () => {
  assert.match(problemsOf({ FIRN_LISTEN: '0.0.0.0:8480' })[0] ?? '', /FIRN_INSECURE_LISTEN=yes/);
  assert.match(problemsOf({ FIRN_LISTEN: '[::]:8480' })[0] ?? '', /there is no TLS/);
  const open = read({ FIRN_LISTEN: '0.0.0.0:8480', FIRN_INSECURE_LISTEN: 'yes' });
  assert.equal(open.listen.host, '0.0.0.0');
  const env = { FIRN_LISTEN: '0.0.0.0:443', FIRN_TLS_CERT: 'c.pem', FIRN_TLS_KEY: '/k.pem' };
  const readFile = (path: string) => (path === '/k.pem' ? key : cert);
  assert.deepEqual(read(env, { readFile }).tls, { cert, key });
});

test('the admin endpoint, which has no TLS, needs that word too', () => {
  const env = { FIRN_ADMIN_LISTEN: '0.0.0.0:8481' };
  assert.match(problemsOf(env)[0] ?? '', /^FIRN_ADMIN_LISTEN: .*FIRN_INSECURE_LISTEN=yes$/);
  const open = read({ ...env, FIRN_INSECURE_LISTEN: 'yes' });
  assert.deepEqual(open.adminListen, { host: '0.0.0.0', port: 8481 });
  assert.match(problemsOf({ ...env, FIRN_INSECURE_LISTEN: 'true' }).join(), /neither yes nor no/);
});

test('the master key may lie elsewhere than in the data directory', () => {
  const { masterKey } = read({ FIRN_MASTER_KEY_FILE: 'keys/firn.key' });
  assert.deepEqual(masterKey, { path: '/srv/keys/firn.key', isDefault: false });
});

test('the scrub has a period and a rate, and neither is nothing', () => {
  const { scrub } = read({ FIRN_SCRUB_PERIOD: '7d', FIRN_SCRUB_RATE: '512KiB' });
  assert.deepEqual(scrub, { periodMs: 604_800_000, bytesPerSecondMax: 524_288 });
  assert.match(problemsOf({ FIRN_SCRUB_PERIOD: '0s' })[0] ?? '', /above 0s/);
  assert.match(problemsOf({ FIRN_SCRUB_RATE: '0B' })[0] ?? '', /less than one byte/);
});

test('what would expire as soon as it is there is refused', () => {
  for (const name of ['FIRN_JOB_EXPIRY', 'FIRN_UPLOAD_EXPIRY', 'FIRN_VAULT_LOCK_EXPIRY']) {
    assert.match(problemsOf({ [name]: '0s' })[0] ?? '', new RegExp(`^${name}: .*above 0s`));
  }
  const { jobExpiryMs, uploadExpiryMs, vaultLockExpiryMs } = read({
    FIRN_JOB_EXPIRY: '1s',
    FIRN_UPLOAD_EXPIRY: '2s',
    FIRN_VAULT_LOCK_EXPIRY: '3s',
  });
  assert.deepEqual([jobExpiryMs, uploadExpiryMs, vaultLockExpiryMs], [1000, 2000, 3000]);
});

test('limits are whole numbers', () => {
  const { vaultsMax, vaultTagsMax, capacityUnitsMax } = read({
    FIRN_VAULTS_MAX: '5',
    FIRN_VAULT_TAGS_MAX: '10',
    FIRN_CAPACITY_UNITS_MAX: '0',
  });
  assert.deepEqual([vaultsMax, vaultTagsMax, capacityUnitsMax], [5, 10, 0]);
  for (const name of ['FIRN_VAULTS_MAX', 'FIRN_VAULT_TAGS_MAX', 'FIRN_CAPACITY_UNITS_MAX']) {
    const [problem] = problemsOf({ [name]: 'many' });
    assert.equal(problem, `${name}: "many" is not a whole number; write digits only, as 50`);
  }
});

test('Expedited retrievals are accepted, or as many as `aws` timing or a number allows', () => {
  const max = (env: Record<string, string>) => read(env).expeditedOnDemandMax;
  const aws = { FIRN_TIMING: 'aws' };
  assert.equal(max(aws), 3);
  assert.equal(max({ ...aws, FIRN_EXPEDITED_ON_DEMAND: 'accept' }), null);
  assert.equal(max({ ...aws, FIRN_EXPEDITED_ON_DEMAND: '0' }), 0);
  assert.equal(max({ FIRN_EXPEDITED_ON_DEMAND: '12' }), 12);
  assert.deepEqual(problemsOf({ FIRN_EXPEDITED_ON_DEMAND: 'reject' }), [
    'FIRN_EXPEDITED_ON_DEMAND: "reject" is neither accept nor a whole number',
  ]);
});

test('certificate and key, and the two halves of the root key, come together or not at all', () => {
  const readFile = () => cert;
  assert.deepEqual(problemsOf({ FIRN_TLS_CERT: 'c.pem' }, { readFile }), [
    'FIRN_TLS_CERT: it needs FIRN_TLS_KEY beside it; set both or neither',
  ]);
  assert.deepEqual(problemsOf({ FIRN_ROOT_SECRET_ACCESS_KEY: 'secretsecret' }), [
    'FIRN_ROOT_SECRET_ACCESS_KEY: it needs FIRN_ROOT_ACCESS_KEY_ID beside it; set both or neither',
  ]);
  const { account } = read({
    FIRN_ACCOUNT_ID: '123456789012',
    FIRN_ROOT_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    FIRN_ROOT_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  });
  assert.equal(account.accountId, '123456789012');
  assert.equal(account.rootKey?.accessKeyId, 'AKIAIOSFODNN7EXAMPLE');
});

test('all problems are reported together, each with where it was said', () => {
  const problems = problemsOf(
    { FIRN_TIMING: 'slow', FIRN_ACCOUNT_ID: '12', FIRN_TLS_CERT: 'absent.pem' },
    { flags: { 'bulk-delay': 'soon' } },
  );
  assert.deepEqual(problems.map((problem) => problem.split(':')[0]).sort(), [
    '--bulk-delay',
    'FIRN_ACCOUNT_ID',
    'FIRN_TIMING',
    'FIRN_TLS_CERT',
    'FIRN_TLS_CERT',
  ]);
  assert.ok(problems.includes('FIRN_TIMING: "slow" is none of immediate, aws'));
});

test('an unknown variable or flag is refused with the nearest known name', () => {
  assert.deepEqual(problemsOf({ FIRN_LISTN: 'x', FIRN_QQQQQQQQQQ: 'x' }), [
    'FIRN_LISTN: there is no such variable; did you mean FIRN_LISTEN?',
    'FIRN_QQQQQQQQQQ: there is no such variable',
  ]);
  assert.deepEqual(problemsOf({}, { flags: { 'data-dri': 'x' } }), [
    '--data-dri: there is no such flag; did you mean --data-dir?',
  ]);
});

test('variables that are empty, of others, or made by Kubernetes are not ours', () => {
  const config = read({
    FIRN_LISTEN: '',
    HOME: '/root',
    FIRN_SERVICE_HOST: '10.0.0.1',
    FIRN_SERVICE_PORT_HTTP: '8480',
    FIRN_PORT: 'tcp://10.0.0.1:8480',
    FIRN_PORT_8480_TCP_ADDR: '10.0.0.1',
  });
  assert.equal(config.listen.port, 8480);
  assert.match(problemsOf({ FIRN_PORT: '9000' }).join(), /^FIRN_PORT: there is no such variable/);
});

test('what this version cannot honour is refused, with what to write instead', () => {
  const unbuilt: Record<string, RegExp> = {
    FIRN_METADATA_URL: /begins with postgres:.*write sqlite:/,
    FIRN_BLOBS_URL: /begins with s3:.*write disk:/,
    FIRN_DISKS: /not supported by this version yet.*FIRN_BLOBS_URL=disk:\/path/,
    FIRN_REDUNDANCY: /not supported by this version yet.*leave it out/,
  };
  const problems = problemsOf({
    FIRN_METADATA_URL: 'postgres://firn:hunter2@db/firn',
    FIRN_BLOBS_URL: 's3://bucket/prefix',
    FIRN_DISKS: '/a,/b',
    FIRN_REDUNDANCY: 'mirror:2',
  });
  for (const [variable, pattern] of Object.entries(unbuilt)) {
    assert.match(problems.find((problem) => problem.startsWith(variable)) ?? '', pattern);
  }
  assert.equal(problems.length, 4);
  assert.ok(!problems.join().includes('hunter2'));
});

test('the embedded stores may lie elsewhere than in the data directory', () => {
  const config = read({
    FIRN_METADATA_URL: 'sqlite:///fast/firn.sqlite',
    FIRN_BLOBS_URL: 'disk:archives',
    FIRN_REDUNDANCY: 'none',
  });
  assert.equal(config.metadata.path, '/fast/firn.sqlite');
  assert.equal(config.blobs.directory, '/srv/archives');
});

test('a description of the settings shows no secret', () => {
  const config = read(
    {
      FIRN_ROOT_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      FIRN_ROOT_SECRET_ACCESS_KEY: 'not-to-be-seen',
      FIRN_TLS_CERT: 'c',
      FIRN_TLS_KEY: 'k',
    },
    { readFile: (path) => (path === '/srv/k' ? key : cert) },
  );
  const shown = JSON.stringify(describeConfig(config));
  assert.match(shown, /AKIAIOSFODNN7EXAMPLE/);
  assert.doesNotMatch(shown, /not-to-be-seen|BEGIN/);
  const problem = problemsOf({
    FIRN_ROOT_ACCESS_KEY_ID: 'AKIA',
    FIRN_ROOT_SECRET_ACCESS_KEY: 'has a space',
  });
  assert.equal(problem.length, 1);
  assert.doesNotMatch(problem.join(), /has a space/);
});

test('the settings are frozen, all the way down', () => {
  const config = read({ FIRN_PUBLIC_NAMES: 'Glacier.Example.org, archive:8443' });
  assert.deepEqual(config.publicNames, ['glacier.example.org', 'archive:8443']);
  assert.ok(Object.isFrozen(config));
  assert.ok(Object.isFrozen(config.delaysMs));
  assert.ok(Object.isFrozen(config.publicNames));
});
