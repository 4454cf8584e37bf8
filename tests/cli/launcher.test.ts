import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import test from 'node:test';

const root = join(import.meta.dirname, '../..');
const launcher = join(root, 'bin/firn.js');
const version = `${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`;

/** The Node that a shell would find, which may be older than the one that npm scripts run with. */
const ownBin = join(root, 'node_modules/.bin');
const shellPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((directory) => directory !== ownBin)
  .join(delimiter);

function launch(command: string, ...args: string[]) {
  const env = { PATH: shellPath, HOME: process.env['HOME'] };
  const { status, stdout } = spawnSync(command, args, { cwd: root, env, encoding: 'utf8' });
  return { status, stdout };
}

test('the launcher runs the command line in this Node', () => {
  assert.deepEqual(launch(process.execPath, launcher, '--version'), { status: 0, stdout: version });
});

test('the launcher runs under whatever Node the shell has, and through a link', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'firn-launcher-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const link = join(directory, 'firn');
  symlinkSync(launcher, link);
  assert.deepEqual(launch('node', link, '--version'), { status: 0, stdout: version });
});

test('the launcher passes the exit status on', () => {
  assert.equal(launch('node', launcher, 'serve', '--no-such-flag').status, 2);
});

test('`npx --no-install firn` works in the project', () => {
  assert.deepEqual(launch('npx', '--no-install', 'firn', '--version'), {
    status: 0,
    stdout: version,
  });
});
