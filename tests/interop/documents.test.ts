import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { startServer } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const hasCli = spawnSync('aws', ['--version']).status === 0;
const hasBotocore = spawnSync('python3', ['-c', 'import botocore.utils']).status === 0;
const withoutCli = hasCli ? false : 'the AWS CLI is not on this machine';
const withoutBoth =
  withoutCli || (hasBotocore ? false : 'boto3 for python3 is not on this machine');

/** The block of a document that follows the mark which names this file. */
function sessionIn(path: string): string {
  const text = readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
  const block = /<!-- session: [^>]*-->\n```sh\n(.*?)```/s.exec(text)?.[1];
  assert.ok(block !== undefined, `${path} has a session`);
  return block;
}

/** Runs a document's session as it stands, with a file of `sizeBytes`. Answers what it printed. */
async function run(path: string, sizeBytes: number): Promise<string> {
  await using server = await startServer();
  using directory = new TemporaryDirectory();
  const { accessKeyId, secretAccessKey } = server.account.credentials;
  const { PATH = '' } = process.env;
  const { stdout } = await promisify(execFile)(
    'bash',
    ['-euo', 'pipefail', '-c', sessionIn(path)],
    {
      cwd: directory.path,
      env: {
        PATH,
        HOME: directory.path,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        ENDPOINT: server.url,
        // The file of a document is large; the session is the same with less.
        SIZE: String(sizeBytes),
      },
    },
  );
  return stdout;
}

test("the README's session stores a file and fetches it back", { skip: withoutCli }, async () => {
  const stdout = await run('README.md', 3 * 1024 * 1024 + 5);
  assert.match(stdout, /the same, byte for byte\n$/);
});

test('the session of uploads in parts does so part by part', { skip: withoutBoth }, async () => {
  const stdout = await run('docs/uploads-in-parts.md', 33 * 1024 * 1024 + 5);
  assert.match(stdout, /"16777216-33554431",\s+"33554432-34603012"/);
  assert.match(stdout, /the same, byte for byte\n$/);
});
