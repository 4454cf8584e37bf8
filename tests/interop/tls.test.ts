import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import test from 'node:test';
import {
  CreateVaultCommand,
  GlacierClient,
  ListVaultsCommand,
  UploadArchiveCommand,
} from '@aws-sdk/client-glacier';
import { startServer } from '../support/start-server.ts';

const certificates = join(import.meta.dirname, '../support/tls');
const certificate = join(certificates, 'cert.pem');

test('with certificate and key the listener speaks TLS, also under Amazon’s host name', async () => {
  await using server = await startServer({
    env: { FIRN_TLS_CERT: certificate, FIRN_TLS_KEY: join(certificates, 'key.pem') },
  });
  assert.match(server.url, /^https:/);
  const { port } = new URL(server.url);
  for (const host of ['127.0.0.1', 'glacier.us-east-1.amazonaws.com']) {
    const client = new GlacierClient({
      region: 'us-east-1',
      endpoint: `https://${host}:${port}`,
      credentials: server.account.credentials,
      requestHandler: {
        httpsAgent: new Agent({
          ca: readFileSync(certificate),
          // What a name server or a hosts file would do.
          lookup: (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]),
        }),
      },
    });
    const vaultName = `vault-of-${host}`;
    await client.send(new CreateVaultCommand({ accountId: '-', vaultName }));
    const body = Buffer.alloc(1_500_000, host);
    const { archiveId } = await client.send(
      new UploadArchiveCommand({ accountId: '-', vaultName, body }),
    );
    assert.equal(archiveId?.length, 138);
    const { VaultList } = await client.send(new ListVaultsCommand({ accountId: '-' }));
    assert.equal(VaultList?.at(-1)?.VaultName, vaultName);
    client.destroy();
  }
});
