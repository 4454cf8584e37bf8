import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { startServer } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const hasCli = spawnSync('aws', ['--version']).status === 0;
const skip = hasCli ? false : 'the AWS CLI is not on this machine';

/** The block of the README that follows the mark which names this file. */
function session(): string {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const block = /<!-- session: [^>]*-->\n```sh\n(.*?)```/s.exec(readme)?.[1];
  assert.ok(block !== undefined, 'the README has a session');
  return block;
}

test("the README's session stores a file and fetches it back, as written", { skip }, async () => {
  await using server = await startServer();
  using directory = new TemporaryDirectory();
  const { accessKeyId, secretAccessKey } = server.account.credentials;
  const { PATH = '' } = process.env;
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', session()], {
    cwd: directory.path,
    env: {
      PATH,
      HOME: directory.path,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      ENDPOINT: server.url,
      // The README's file has a gigabyte; the session is the same with less.
      SIZE: String(3 * 1024 * 1024 + 5),
    },
  });
  assert.match(stdout, /the same, byte for byte\n$/);
});
