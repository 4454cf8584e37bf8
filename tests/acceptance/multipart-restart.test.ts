import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import { bytesOf, createVault, describeVault, retrieve } from '../support/deeds.ts';
import { assertEmpty } from '../support/expectations.ts';
import { headOf, RawConnection } from '../support/http.ts';
import { assertUnknownUpload, listUploads, Multipart } from '../support/multipart.ts';
import { spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';
import { onlyOwnServer } from '../support/target.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { mebibyte } from '../support/tree-hash-reference.ts';

/** Runs each stage on a server of its own, one after the other on the same data; ends it by SIGKILL. */
async function acrossKills(stages: readonly ((api: Api) => Promise<void>)[]): Promise<void> {
  using directory = new TemporaryDirectory();
  const env = accountSettings(testAccount);
  for (const stage of stages) {
    const server = await spawnServer({ dataDirectory: directory.path, env });
    // Disposing of it is killing it: SIGKILL.
    await using _ = server;
    using api = new Api({ url: server.url, credentials: testAccount.credentials });
    await stage(api);
  }
}

describe('what was acknowledged of an upload outlives SIGKILL', { skip: onlyOwnServer }, () => {
  test('whenever it comes, until the archive is there', async () => {
    const whole = bytesOf(3.5 * mebibyte);
    const part = (index: number) => whole.subarray(index * mebibyte, (index + 1) * mebibyte);
    const vault = 'kept';
    const description = 'kept   as it was';
    let id = '';
    let archiveId = '';
    let shown = '';
    let marker: string | null = null;
    const found = (api: Api) => new Multipart(api, vault, id);
    await acrossKills([
      async (api) => {
        await createVault(api, vault);
        ({ id } = await Multipart.initiate(api, vault, { description }));
      },
      async (api) => {
        const upload = found(api);
        await upload.put(3 * mebibyte, part(3));
        await upload.put(0, bytesOf(1000));
        await upload.put(0, part(0));
        shown = (await upload.list()).text;
        marker = (await upload.page('?limit=1')).Marker;
        // One more is on its way, and never arrives.
        using connection = new RawConnection(api.url);
        const request = upload.partRequest(0, bytesOf(mebibyte), { Expect: '100-continue' });
        connection.write(headOf(request));
        await connection.until(/100 Continue/);
        connection.write(bytesOf(700_000));
      },
      async (api) => {
        const upload = found(api);
        assert.equal((await upload.list()).text, shown);
        const rest = await upload.page(`?marker=${marker}`);
        assert.equal(rest.Parts[0]?.RangeInBytes, `${3 * mebibyte}-${whole.length - 1}`);
        assert.equal((await upload.finish(whole)).status, 400);
        await upload.put(2 * mebibyte, part(2));
        await upload.put(mebibyte, part(1));
      },
      async (api) => {
        archiveId = await found(api).complete(whole);
      },
      async (api) => {
        const upload = found(api);
        assert.equal(await upload.complete(whole), archiveId);
        assert.deepEqual(await listUploads(api, vault), { Marker: null, UploadsList: [] });
        assertUnknownUpload(await upload.abort(), upload);
        assert.equal((await describeVault(api, vault)).NumberOfArchives, 1);
        assert.ok((await retrieve(api, vault, archiveId)).equals(whole));
      },
    ]);
  });

  test('also when it is that it was aborted', async () => {
    let id = '';
    await acrossKills([
      async (api) => {
        const upload = await Multipart.initiate(api, await createVault(api, 'kept'));
        await upload.putAll(bytesOf(1.75 * mebibyte));
        assertEmpty(await upload.abort(), 204);
        ({ id } = upload);
      },
      async (api) => {
        const upload = new Multipart(api, 'kept', id);
        assertUnknownUpload(await upload.list(), upload);
        assertUnknownUpload(await upload.send(0, bytesOf(10)), upload);
        assertEmpty(await upload.abort(), 204);
        assert.deepEqual(await listUploads(api, 'kept'), { Marker: null, UploadsList: [] });
      },
    ]);
  });
});
