import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, createVault, describeVault, freshName, retrieve } from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import { type Answer, headOf, RawConnection } from '../support/http.ts';
import {
  assertInvalid,
  assertUnknownUpload,
  initiateWith,
  listUploads,
  Multipart,
} from '../support/multipart.ts';
import type { HeaderLines } from '../support/signature.ts';
import { filesSince, storedFiles } from '../support/stored-files.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';
import { mebibyte } from '../support/tree-hash-reference.ts';

const { api, account, other, dataDirectory } = await openTarget();
const vault = await createVault(api);

const vaultNotFound = (name: string, { region } = api) =>
  `Vault not found for ARN: arn:aws:glacier:${region}:${account.accountId}:vaults/${name}`;

const idOf = (answer: Answer) => answer.headers.get('x-amz-multipart-upload-id') ?? '';

/** The ids of the open uploads of a vault, of which there are few. */
async function openIds(name = vault, caller = api): Promise<string[]> {
  const { UploadsList } = await listUploads(caller, name);
  return UploadsList.map(({ MultipartUploadId }) => MultipartUploadId);
}

describe('initiating an upload', () => {
  test('answers 201 with the id and the location', async () => {
    const answer = await initiateWith(api, vault, { 'x-amz-part-size': '1048576' });
    assertEmpty(answer, 201);
    const id = idOf(answer);
    assert.match(id, /^[A-Za-z0-9][A-Za-z0-9_-]{91}$/);
    const location = `/${account.accountId}/vaults/${vault}/multipart-uploads/${id}`;
    assert.equal(answer.headers.get('location'), location);
  });

  test('makes another upload each time', async () => {
    const name = await createVault(api);
    const ids: string[] = [];
    for (let time = 0; time < 3; time += 1) ids.push((await Multipart.initiate(api, name)).id);
    assert.equal(new Set(ids).size, 3);
    assert.deepEqual((await openIds(name)).sort(), ids.sort());
  });

  test('with the account id in the path is the same as with a dash', async () => {
    const target = `/${account.accountId}/vaults/${vault}/multipart-uploads`;
    const headers: HeaderLines = [['x-amz-part-size', '1048576']];
    assertEmpty(await api.call('POST', target, { headers }), 201);
  });

  const invalidPartSize = (value: string) =>
    `Invalid part size: ${value}. Part size must not be null, must be a power of two and be ` +
    'between 1048576 and 4294967296 bytes.';

  for (const sizeMiB of Array.from({ length: 13 }, (_, power) => 2 ** power)) {
    test(`accepts parts of ${sizeMiB} MiB, and not one byte less or more`, async () => {
      const sizeBytes = sizeMiB * mebibyte;
      const upload = await Multipart.initiate(api, vault, { partSizeBytes: sizeBytes });
      assert.equal((await upload.page()).PartSizeInBytes, sizeBytes);
      for (const value of [String(sizeBytes - 1), String(sizeBytes + 1)]) {
        const answer = await initiateWith(api, vault, { 'x-amz-part-size': value });
        assertInvalid(answer, invalidPartSize(value));
      }
    });
  }

  const partSizes = [
    ...['0', '1', '524288', '3145728', '10485760', '10485759', '8589934592', '17179869184'],
    ...['-1048576', '1048576.0', '1e6', '0x100000', '1MiB', 'null', '1048576 1048576'],
    '99999999999999999999999999',
  ];

  for (const value of partSizes) {
    test(`refuses parts of "${value}" bytes with 400`, async () => {
      const answer = await initiateWith(api, vault, { 'x-amz-part-size': value });
      assertInvalid(answer, invalidPartSize(value));
    });
  }

  test('refuses an absent and an empty part size with 400, naming null', async () => {
    for (const value of [null, '']) {
      const answer = await initiateWith(api, vault, { 'x-amz-part-size': value });
      assertInvalid(answer, invalidPartSize('null'));
    }
  });

  const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

  for (const [shown, value] of [
    ['of 1,025 characters', 'x'.repeat(1025)],
    ['with a tab in it', 'a\tb'],
    ['beyond ASCII', 'névé'],
  ] as const) {
    test(`refuses a description ${shown} with 400`, async () => {
      const before = await openIds();
      const answer = await initiateWith(api, vault, {
        'x-amz-part-size': '1048576',
        'x-amz-archive-description': latin1(value),
      });
      assertInvalid(answer, `Invalid x-amz-archive-description: ${value}`);
      assert.deepEqual(await openIds(), before);
    });
  }

  test('in an unknown vault answers 404', async () => {
    const name = freshName();
    const answer = await initiateWith(api, name, { 'x-amz-part-size': '1048576' });
    assertError(answer, 404, 'ResourceNotFoundException', vaultNotFound(name));
  });

  test('with a wrong part size in an unknown vault answers 400: what is said comes first', async () => {
    const answer = await initiateWith(api, freshName(), { 'x-amz-part-size': '5' });
    assertInvalid(answer, invalidPartSize('5'));
  });

  test('may have a JSON body, as one client sends it, or no length at all', async () => {
    const target = `/-/vaults/${vault}/multipart-uploads`;
    const size = ['x-amz-part-size', '1048576'] as const;
    const json: HeaderLines = [size, ['Content-Type', 'application/json']];
    assertEmpty(await api.call('POST', target, { headers: json, body: '{}' }), 201);
    const request = api.prepare('POST', target, { headers: [size], without: ['content-length'] });
    using connection = new RawConnection(api.url);
    connection.write(headOf(request));
    assert.match(await connection.until(/\r\n\r\n/), /^HTTP\/1\.1 201 Created\r\n/);
  });
});

describe('aborting an upload', () => {
  test('answers 204, time and again, and the upload is in no list', async () => {
    const name = await createVault(api);
    const [upload, other] = [
      await Multipart.initiate(api, name),
      await Multipart.initiate(api, name),
    ];
    await upload.put(0, bytesOf(100));
    for (let time = 0; time < 3; time += 1) {
      assertEmpty(await upload.abort(), 204);
      assert.deepEqual(await openIds(name), [other.id]);
    }
  });

  test('by several at the same time answers 204 to all of them', async () => {
    const upload = await Multipart.initiate(api, vault);
    await upload.put(0, bytesOf(100));
    const answers = await Promise.all([1, 2, 3, 4].map(() => upload.abort()));
    for (const answer of answers) assertEmpty(answer, 204);
    assertUnknownUpload(await upload.list(), upload);
  });

  test('that was completed answers 404 and leaves the archive', async () => {
    const name = await createVault(api);
    const upload = await Multipart.initiate(api, name);
    const bytes = bytesOf(1000);
    await upload.put(0, bytes);
    const archiveId = await upload.complete(bytes);
    assertUnknownUpload(await upload.abort(), upload);
    assert.ok((await retrieve(api, name, archiveId)).equals(bytes));
  });

  test('leaves the totals of the vault alone', async () => {
    const name = await createVault(api);
    const before = await describeVault(api, name);
    const upload = await Multipart.initiate(api, name);
    await upload.put(0, bytesOf(1000));
    assert.deepEqual(await describeVault(api, name), before);
    await upload.abort();
    assert.deepEqual(await describeVault(api, name), before);
  });

  test('gives the space of its parts back at once', { skip: onlyOwnServer }, async () => {
    const upload = await Multipart.initiate(api, vault);
    const before = storedFiles(dataDirectory ?? '');
    await upload.putAll(bytesOf(2.75 * mebibyte));
    assert.ok(filesSince(dataDirectory ?? '', before).length > 0);
    assertEmpty(await upload.abort(), 204);
    await eventually('the files of the parts are gone', () => {
      return filesSince(dataDirectory ?? '', before).length === 0;
    });
  });

  test('while a part is on its way keeps nothing of that part', {
    skip: onlyOwnServer,
  }, async () => {
    const upload = await Multipart.initiate(api, vault);
    const before = storedFiles(dataDirectory ?? '');
    const bytes = bytesOf(mebibyte);
    using connection = new RawConnection(api.url);
    connection.write(headOf(upload.partRequest(0, bytes, { Expect: '100-continue' })));
    await connection.until(/100 Continue/);
    connection.write(bytes.subarray(0, 700_000));
    assertEmpty(await upload.abort(), 204);
    connection.write(bytes.subarray(700_000));
    const text = await connection.until(/HTTP\/1\.1 (?:204|404) /);
    assert.match(text, /HTTP\/1\.1 (?:204 No Content|404 Not Found)\r\n/);
    assertUnknownUpload(await upload.list(), upload);
    await eventually('the file of the part is gone', () => {
      return filesSince(dataDirectory ?? '', before).length === 0;
    });
  });
});

describe('what each call answers in each state of an upload', () => {
  const bytes = bytesOf(500);

  const calls = {
    UploadMultipartPart: (upload: Multipart) => upload.send(0, bytes),
    ListParts: (upload: Multipart) => upload.list(),
    CompleteMultipartUpload: (upload: Multipart) => upload.finish(bytes),
    AbortMultipartUpload: (upload: Multipart) => upload.abort(),
  };

  async function open(): Promise<Multipart> {
    const upload = await Multipart.initiate(api, vault);
    await upload.put(0, bytes);
    return upload;
  }

  async function completed(): Promise<Multipart> {
    const upload = await open();
    await upload.complete(bytes);
    return upload;
  }

  async function aborted(): Promise<Multipart> {
    const upload = await open();
    await upload.abort();
    return upload;
  }

  async function inAnotherVault(): Promise<Multipart> {
    return new Multipart(api, await createVault(api), (await open()).id);
  }

  async function inAnotherRegion(): Promise<Multipart> {
    const elsewhere = api.as({ region: freshName('elsewhere') });
    await createVault(elsewhere, vault);
    return new Multipart(elsewhere, vault, (await open()).id);
  }

  const never = (id: string) => () => new Multipart(api, vault, id);

  // The columns are the calls above: upload a part, list the parts, complete, abort.
  const states: Readonly<Record<string, readonly [() => unknown, ...statuses: number[]]>> = {
    open: [open, 204, 200, 201, 204],
    completed: [completed, 404, 404, 201, 404],
    aborted: [aborted, 404, 404, 404, 204],
    unknown: [never('A'.repeat(92)), 404, 404, 404, 404],
    'unknown, with an id that cannot be one,': [never('no-such-upload'), 404, 404, 404, 404],
    // A path that ends in a slash is that of an upload without an id, not that of the list.
    'unknown, with no id at all,': [never(''), 404, 404, 404, 404],
    'of another vault': [inAnotherVault, 404, 404, 404, 404],
    'of the vault of this name in another region': [inAnotherRegion, 404, 404, 404, 404],
  };

  for (const [state, [make, ...statuses]] of Object.entries(states)) {
    for (const [index, [name, call]] of Object.entries(calls).entries()) {
      const status = statuses[index] ?? 0;
      test(`${name} of an upload that is ${state} answers ${status}`, async () => {
        const upload = await make();
        assert.ok(upload instanceof Multipart);
        const answer = await call(upload);
        if (status === 404) assertUnknownUpload(answer, upload);
        else assert.equal(answer.status, status, answer.text);
      });
    }
  }

  test('only open uploads are listed', async () => {
    const own = await createVault(api);
    const uploads = [1, 2, 3].map(() => Multipart.initiate(api, own));
    const [left, done, ended] = await Promise.all(uploads);
    await done?.put(0, bytes);
    await done?.complete(bytes);
    await ended?.abort();
    assert.deepEqual(await openIds(own), [left?.id]);
  });

  test('what is tried through another vault or region does nothing to the upload', async () => {
    const upload = await open();
    const elsewhere = api.as({ region: freshName('elsewhere') });
    await createVault(elsewhere, vault);
    const strangers = [
      new Multipart(api, await createVault(api), upload.id),
      new Multipart(elsewhere, vault, upload.id),
    ];
    for (const stranger of strangers) {
      for (const call of Object.values(calls)) assertUnknownUpload(await call(stranger), upload);
    }
    assert.deepEqual(await upload.ranges(), ['0-499']);
    await upload.complete(bytes);
  });

  test('each call to an unknown vault answers 404 with the ARN, whatever the upload', async () => {
    const name = freshName();
    const { id } = await open();
    for (const call of Object.values(calls)) {
      const answer = await call(new Multipart(api, name, id));
      assertError(answer, 404, 'ResourceNotFoundException', vaultNotFound(name));
    }
    const answer = await api.call('GET', `/-/vaults/${name}/multipart-uploads`);
    assertError(answer, 404, 'ResourceNotFoundException', vaultNotFound(name));
  });
});

describe('deleting a vault that holds nothing but unfinished uploads', () => {
  test('answers 204, and the uploads do not come back with a vault of that name', async () => {
    const name = await createVault(api);
    const upload = await Multipart.initiate(api, name);
    await upload.put(0, bytesOf(1000));
    assertEmpty(await api.call('DELETE', `/-/vaults/${name}`), 204);
    const gone = await upload.list();
    assertError(gone, 404, 'ResourceNotFoundException', vaultNotFound(name));
    await createVault(api, name);
    assert.deepEqual(await openIds(name), []);
    assertUnknownUpload(await upload.list(), upload);
    assertUnknownUpload(await upload.send(0, bytesOf(10)), upload);
    assertUnknownUpload(await upload.abort(), upload);
  });

  test('gives their space back', { skip: onlyOwnServer }, async () => {
    const before = storedFiles(dataDirectory ?? '');
    const name = await createVault(api);
    for (let count = 0; count < 2; count += 1) {
      const upload = await Multipart.initiate(api, name);
      await upload.putAll(bytesOf(1.75 * mebibyte));
    }
    assertEmpty(await api.call('DELETE', `/-/vaults/${name}`), 204);
    await eventually('the files of the parts are gone', () => {
      return filesSince(dataDirectory ?? '', before).length === 0;
    });
  });

  test('answers 404 to a part that is on its way, and keeps nothing of it', {
    skip: onlyOwnServer,
  }, async () => {
    const before = storedFiles(dataDirectory ?? '');
    const name = await createVault(api);
    const upload = await Multipart.initiate(api, name);
    const bytes = bytesOf(mebibyte);
    using connection = new RawConnection(api.url);
    connection.write(headOf(upload.partRequest(0, bytes, { Expect: '100-continue' })));
    await connection.until(/100 Continue/);
    connection.write(bytes.subarray(0, 700_000));
    assertEmpty(await api.call('DELETE', `/-/vaults/${name}`), 204);
    connection.write(bytes.subarray(700_000));
    const text = await connection.until(/"type":"Client"\}$/);
    assert.match(text, /HTTP\/1\.1 404 Not Found\r\n/);
    await eventually('the file of the part is gone', () => {
      return filesSince(dataDirectory ?? '', before).length === 0;
    });
  });
});

const needsOther = other === undefined && 'there is no second account on this server';

test('uploads of another account are out of reach', { skip: needsOther }, async () => {
  if (other === undefined) return;
  using stranger = api.as({ credentials: other.credentials });
  const upload = await Multipart.initiate(api, vault);
  const target = `/${account.accountId}/vaults/${vault}/multipart-uploads`;
  for (const [method, path] of [
    ['POST', target],
    ['GET', target],
    ['PUT', `${target}/${upload.id}`],
    ['GET', `${target}/${upload.id}`],
    ['POST', `${target}/${upload.id}`],
    ['DELETE', `${target}/${upload.id}`],
  ] as const) {
    const answer = await stranger.call(method, path);
    assertError(answer, 403, 'AccessDeniedException', /./);
  }
  assert.equal((await upload.list()).status, 200);
});
