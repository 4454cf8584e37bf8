import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Api } from '../support/api.ts';
import {
  bytesOf,
  createVault,
  deleteArchive,
  describeVault,
  freshName,
  inventoryOf,
  retrieve,
  upload,
  uploadHeaders,
} from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { assertError } from '../support/expectations.ts';
import { headOf, RawConnection } from '../support/http.ts';
import type { HeaderLines } from '../support/signature.ts';
import { startServer } from '../support/start-server.ts';
import { storedFiles } from '../support/stored-files.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';
import { mebibyte } from '../support/tree-hash-reference.ts';

const { api, dataDirectory } = await openTarget();
const vault = await createVault(api);
const kept = bytesOf(300_000);
await upload(api, vault, kept);
// The first inventory makes the file that small outputs share.
await inventoryOf(api, vault);

/** The names of the files there are; small archives share one, large ones have their own. */
const files = () => [...storedFiles(dataDirectory ?? '').keys()];

/** Runs `fail` and checks that no trace of it is to be found afterwards. */
async function leavesNothing(fail: () => Promise<void>): Promise<void> {
  const before = await describeVault(api, vault);
  const filesBefore = dataDirectory === undefined ? [] : files();
  await fail();
  assert.deepEqual(await describeVault(api, vault), before);
  assert.equal((await inventoryOf(api, vault)).ArchiveList.length, before.NumberOfArchives);
  if (dataDirectory === undefined) return;
  await eventually('the files are those of before', () => isDeepStrictEqual(files(), filesBefore));
}

/** The head of an upload of `bytes`. */
function head(bytes: Uint8Array, headers: HeaderLines = [], name = vault): Buffer {
  const target = `/-/vaults/${name}/archives`;
  return headOf(
    api.prepare('POST', target, { body: bytes, headers: [...uploadHeaders(bytes), ...headers] }),
  );
}

for (const sizeBytes of [200_000, 3 * mebibyte]) {
  test(`an upload of ${sizeBytes} bytes whose client goes away half-way leaves nothing`, async () => {
    await leavesNothing(async () => {
      const bytes = bytesOf(sizeBytes);
      using connection = new RawConnection(api.url);
      connection.write(head(bytes));
      connection.write(bytes.subarray(0, sizeBytes / 2));
      await eventually('half of it is under way', () => connection.writtenBytes > sizeBytes / 2);
      connection.destroy();
    });
  });

  test(`an upload of ${sizeBytes} bytes with a wrong hash leaves nothing`, async () => {
    await leavesNothing(async () => {
      const bytes = bytesOf(sizeBytes);
      const headers = uploadHeaders(bytesOf(sizeBytes));
      const target = `/-/vaults/${vault}/archives`;
      const answer = await api.call('POST', target, { body: bytes, headers });
      assertError(answer, 403, 'InvalidSignatureException', /computed payload hash/);
    });
  });

  test(`an upload of ${sizeBytes} bytes with a wrong tree hash leaves nothing`, async () => {
    await leavesNothing(async () => {
      const bytes = bytesOf(sizeBytes);
      const headers: HeaderLines = [
        ...uploadHeaders(bytes).filter(([name]) => name !== 'x-amz-sha256-tree-hash'),
        ['x-amz-sha256-tree-hash', 'ab'.repeat(32)],
      ];
      const target = `/-/vaults/${vault}/archives`;
      const answer = await api.call('POST', target, { body: bytes, headers });
      assertError(answer, 400, 'InvalidParameterValueException', /^Checksum mismatch: /);
    });
  });
}

test('an upload whose client closes its side too early is not stored', async () => {
  await leavesNothing(async () => {
    const bytes = bytesOf(mebibyte);
    using connection = new RawConnection(api.url);
    connection.write(head(bytes));
    connection.write(bytes.subarray(0, mebibyte - 1));
    connection.end();
    assert.doesNotMatch(await connection.untilClosed(), /^HTTP\/1\.1 2/);
  });
});

test('bytes beyond the announced length do not become part of the archive', async () => {
  const own = await createVault(api);
  const bytes = bytesOf(1000);
  using connection = new RawConnection(api.url);
  connection.write(head(bytes, [], own));
  connection.write(Buffer.concat([bytes, Buffer.from('and more that nobody announced')]));
  await connection.until(/^HTTP\/1\.1 201 Created\r\n/);
  const { ArchiveList } = await inventoryOf(api, own);
  assert.deepEqual(
    ArchiveList.map(({ Size }) => Size),
    [1000],
  );
});

test('an upload whose vault is deleted meanwhile answers 404 and leaves nothing', async () => {
  await leavesNothing(async () => {
    const own = await createVault(api);
    const bytes = bytesOf(2 * mebibyte);
    using connection = new RawConnection(api.url);
    connection.write(head(bytes, [['Expect', '100-continue']], own));
    await connection.until(/100 Continue/);
    connection.write(bytes.subarray(0, mebibyte));
    assert.equal((await api.call('DELETE', `/-/vaults/${own}`)).status, 204);
    connection.write(bytes.subarray(mebibyte));
    const text = await connection.until(/"type":"Client"\}$/);
    assert.match(text, /HTTP\/1\.1 404 Not Found\r\n/);
    assert.match(text, /Vault not found for ARN: /);
  });
});

describe('a body that stops half-way', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const server = await startServer({ env: { FIRN_BODY_IDLE_TIMEOUT: '1s' } });
  after(() => server[Symbol.asyncDispose]());
  const { url, account } = server;
  const impatient = new Api({ url, credentials: account.credentials });
  after(() => impatient[Symbol.dispose]());

  test('answers 408 RequestTimeoutException, closes, and leaves nothing', async () => {
    const name = await createVault(impatient);
    const before = storedFiles(server.dataDirectory);
    const bytes = bytesOf(2 * mebibyte);
    const target = `/-/vaults/${name}/archives`;
    const headers = uploadHeaders(bytes);
    using connection = new RawConnection(url);
    connection.write(headOf(impatient.prepare('POST', target, { body: bytes, headers })));
    connection.write(bytes.subarray(0, 1_500_000));
    const text = await connection.untilClosed();
    assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    assert.match(text, /\r\nx-amzn-RequestId: [\w-]{47}\r\n/i);
    assert.match(text, /\r\nConnection: close\r\n/i);
    const body =
      '{"code":"RequestTimeoutException","message":"Request timed out.","type":"Client"}';
    assert.ok(text.endsWith(`\r\n\r\n${body}`), text);
    assert.equal((await describeVault(impatient, name)).NumberOfArchives, 0);
    assert.deepEqual(storedFiles(server.dataDirectory), before);
  });

  test('does not time out as long as something comes now and then', async () => {
    const name = await createVault(impatient);
    const bytes = bytesOf(14);
    async function* slowly() {
      for (const byte of bytes) {
        yield Buffer.from([byte]);
        await new Promise((resolve) => {
          setTimeout(resolve, 120);
        });
      }
    }
    const target = `/-/vaults/${name}/archives`;
    const request = impatient.prepare('POST', target, {
      body: bytes,
      headers: uploadHeaders(bytes),
    });
    const answer = await impatient.transmit({ ...request, body: slowly() });
    assert.equal(answer.status, 201, answer.text);
  });
});

describe('Expect: 100-continue', () => {
  const expectation: HeaderLines = [['Expect', '100-continue']];

  test('the body is asked for when the request is in order', async () => {
    const own = await createVault(api);
    const bytes = bytesOf(500_000);
    using connection = new RawConnection(api.url);
    connection.write(head(bytes, expectation, own));
    assert.equal(await connection.until(/\r\n\r\n/), 'HTTP/1.1 100 Continue\r\n\r\n');
    connection.write(bytes);
    await connection.until(/\r\n\r\nHTTP\/1\.1 201 Created\r\n/);
    assert.equal((await describeVault(api, own)).SizeInBytes, bytes.length);
  });

  const bytes = bytesOf(1000);
  const wrongSecret = { ...api.credentials, secretAccessKey: 'wrong' };
  const good = uploadHeaders(bytes);
  const refusals = [
    ['a bad signature', 403, vault, { headers: good, signing: { credentials: wrongSecret } }],
    ['an unknown vault', 404, freshName(), { headers: good }],
    ['a missing tree hash', 400, vault, { headers: good.slice(0, 1) }],
  ] as const;

  for (const [shown, status, name, { headers, ...options }] of refusals) {
    test(`the body is not asked for when there is ${shown}`, async () => {
      const request = api.prepare('POST', `/-/vaults/${name}/archives`, {
        ...options,
        body: bytes,
        headers: [...headers, ...expectation],
      });
      using connection = new RawConnection(api.url);
      connection.write(headOf(request));
      const text = await connection.until(/"type":"Client"\}$/);
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
    });
  }
});

test('uploads at the same time are all stored, and the totals are exact', async () => {
  const own = await createVault(api);
  const archives = Array.from({ length: 24 }, (_, index) => bytesOf(1 + index * 20_011));
  const ids = await Promise.all(archives.map((bytes) => upload(api, own, bytes)));
  const { NumberOfArchives, SizeInBytes } = await describeVault(api, own);
  const total = archives.reduce((sum, bytes) => sum + bytes.length, 0);
  assert.deepEqual({ NumberOfArchives, SizeInBytes }, { NumberOfArchives: 24, SizeInBytes: total });
  for (const index of [0, 11, 23]) {
    assert.ok((await retrieve(api, own, ids[index] ?? '')).equals(archives[index] ?? Buffer.of()));
  }
});

test('uploads and deletions at the same time keep the totals exact', async () => {
  const own = await createVault(api);
  const doomed = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => upload(api, own, bytesOf(n))));
  await Promise.all([
    ...doomed.flatMap((id) => [deleteArchive(api, own, id), deleteArchive(api, own, id)]),
    ...[10, 20, 30].map((sizeBytes) => upload(api, own, bytesOf(sizeBytes))),
  ]);
  const { NumberOfArchives, SizeInBytes } = await describeVault(api, own);
  assert.deepEqual({ NumberOfArchives, SizeInBytes }, { NumberOfArchives: 3, SizeInBytes: 60 });
  const sizes = (await inventoryOf(api, own)).ArchiveList.map(({ Size }) => Size);
  assert.deepEqual(
    sizes.sort((a, b) => a - b),
    [10, 20, 30],
  );
});
