import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { eventually } from '../support/eventually.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const root = join(import.meta.dirname, '../..');

test('npm start passes flags on, and SIGTERM to npm drains the server and ends with 0', async () => {
  using directory = new TemporaryDirectory();
  const { PATH } = process.env;
  const flags = ['--listen', '127.0.0.1:0', '--data-dir', directory.path];
  const npm = spawn('npm', ['start', '--', ...flags], {
    cwd: root,
    env: { PATH, HOME: directory.path },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => {
    npm.on('exit', (code, signal) => resolve({ code, signal }));
  });
  let stdout = '';
  npm.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  try {
    const url = await eventually('the server says where it answers', () => {
      return /answers at (http:\/\/127\.0\.0\.1:\d+)\n.*, data in /.exec(stdout)?.[1];
    });
    assert.ok(stdout.includes(`data in ${directory.path}`), stdout);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  } finally {
    npm.kill('SIGTERM');
  }
  assert.deepEqual(await ended, { code: 0, signal: null });
});
