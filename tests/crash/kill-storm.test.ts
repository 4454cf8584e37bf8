import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Api } from '../support/api.ts';
import { createVault, freshName } from '../support/deeds.ts';
import { eventually, moment } from '../support/eventually.ts';
import { Ledger } from '../support/ledger.ts';
import { PartLedger } from '../support/part-ledger.ts';
import { spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

/** `FIRN_TEST_KILLS=50 npm test` for a longer storm. */
const kills = Number(process.env['FIRN_TEST_KILLS'] ?? 9);
const { credentials } = testAccount;

/** Uploads and deletes. */
async function act(api: Api, ledger: Ledger, index: number, count: number): Promise<void> {
  const sizeBytes = index === 0 ? 300_000 + count * 70_000 : 1 + ((count * 977) % 40_000);
  await ledger.upload(api, sizeBytes);
  if (count % 4 === index) await ledger.deleteOne(api);
}

/** Does it without end, until the server is gone. */
async function untilKilled(deed: (count: number) => Promise<void>): Promise<void> {
  for (let count = 0; ; count += 1) {
    try {
      await deed(count);
    } catch (error) {
      // The connection broke: the server was killed, as planned.
      if (error instanceof Error && 'code' in error) return;
      throw error;
    }
  }
}

function loseDatabase(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name.startsWith('metadata.sqlite')) rmSync(join(directory, name));
  }
}

test(`${kills} times kill -9, the database lost every third time, lose nothing`, async (t) => {
  using directory = new TemporaryDirectory();
  const env = accountSettings(testAccount);
  const ledger = new Ledger(freshName());
  const partLedger = new PartLedger(ledger.vault);
  for (let kill = 1; kill <= kills; kill += 1) {
    await using server = await spawnServer({ dataDirectory: directory.path, env });
    using api = new Api({ url: server.url, credentials });
    await createVault(api, ledger.vault);
    const before = ledger.acknowledgedCount;
    const actors = [0, 1, 2, 3].map((index) =>
      untilKilled((count) => act(api, ledger, index, count)),
    );
    actors.push(untilKilled(() => partLedger.upload(api)));
    await eventually('some is acknowledged', () => ledger.acknowledgedCount > before + kill);
    // Whatever it is doing then.
    await moment(Math.random() * 300);
    await server.kill();
    await Promise.all(actors);
    if (kill % 3 === 0) loseDatabase(directory.path);
  }
  await using server = await spawnServer({ dataDirectory: directory.path, env });
  using api = new Api({ url: server.url, credentials });
  await ledger.verify(api);
  await partLedger.verify(api);
  t.diagnostic(`acknowledged: ${ledger.acknowledgedCount}; in the vault: ${ledger.storedCount}`);
  const { acknowledgedCount, completedCount } = partLedger;
  t.diagnostic(`parts acknowledged: ${acknowledgedCount}; uploads completed: ${completedCount}`);
});
