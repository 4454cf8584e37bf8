import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { missing, run } from '../support/commands.ts';
import { startServer } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const skip = missing('python3', '-c', 'import boto3');
const scripts = globSync('boto3_tour_of_*.py', { cwd: import.meta.dirname }).sort();

/** Settings that a tour needs, by the name of its script. */
const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  boto3_tour_of_errors: { FIRN_BODY_IDLE_TIMEOUT: '1s', FIRN_EXPEDITED_ON_DEMAND: '0' },
  boto3_tour_of_the_resources: { FIRN_BULK_DELAY: '1h' },
};

// Each script is alone with a server, and some wait more than they work.
describe('boto3 on tour', { skip, concurrency: 2 }, () => {
  for (const script of scripts) {
    const name = basename(script, '.py');
    test(name.replace('boto3_tour_of_', '').replaceAll('_', ' '), async () => {
      await using server = await startServer({ env: settings[name] ?? {} });
      using directory = new TemporaryDirectory();
      const { credentials, accountId } = server.account;
      const { status, stdout, stderr } = await run('python3', [join(import.meta.dirname, script)], {
        cwd: directory.path,
        env: {
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_DEFAULT_REGION: 'eu-central-1',
          AWS_CONFIG_FILE: '/dev/null',
          AWS_MAX_ATTEMPTS: '1',
          PYTHONDONTWRITEBYTECODE: '1',
          FIRN_URL: server.url,
          FIRN_ACCOUNT_ID: accountId,
        },
      });
      assert.equal(status, 0, `${stdout}${stderr}`);
      assert.match(stdout, /done\n$/);
    });
  }
});
