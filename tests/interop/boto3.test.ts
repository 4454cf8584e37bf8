import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { missing, run } from '../support/commands.ts';
import { startServer } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const skip = missing('python3', '-c', 'import boto3');
const scripts = globSync('boto3_*.py', { cwd: import.meta.dirname })
  .filter((name) => !name.startsWith('boto3_tour_'))
  .sort();

describe('boto3', { skip }, async () => {
  if (skip !== false) return;
  const server = await startServer();
  after(() => server[Symbol.asyncDispose]());
  const { credentials } = server.account;

  for (const script of scripts) {
    const deed = script.replace(/^boto3_|\.py$/g, '').replaceAll('_', ' ');
    test(`works unchanged: ${deed}`, async () => {
      using directory = new TemporaryDirectory();
      const { status, stdout, stderr } = await run('python3', [join(import.meta.dirname, script)], {
        cwd: directory.path,
        env: {
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_DEFAULT_REGION: 'eu-north-1',
          AWS_CONFIG_FILE: '/dev/null',
          AWS_MAX_ATTEMPTS: '1',
          PYTHONDONTWRITEBYTECODE: '1',
          FIRN_URL: server.url,
          FIRN_ACCOUNT_ID: server.account.accountId,
        },
      });
      assert.equal(status, 0, `${stdout}${stderr}`);
      assert.match(stdout, /done\n$/);
    });
  }
});
