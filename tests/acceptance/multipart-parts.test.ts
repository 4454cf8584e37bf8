import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import { bytesOf, createVault, freshName, retrieve } from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import { type Answer, headOf, RawConnection } from '../support/http.ts';
import {
  assertInvalid,
  assertMissing,
  assertUnknownUpload,
  type HeaderChanges,
  Multipart,
} from '../support/multipart.ts';
import { sha256Hex } from '../support/signature.ts';
import { startServer } from '../support/start-server.ts';
import { filesSince, storedFiles } from '../support/stored-files.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const { api, account, dataDirectory } = await openTarget();
const vault = await createVault(api);
const M = mebibyte;
const gibibyte = 1024 * M;
const initiate = (partSizeBytes = M) => Multipart.initiate(api, vault, { partSizeBytes });

/** Sends the head of a part and a little of its body, and takes the answer. */
async function refusedByHead(
  upload: Multipart,
  range: string,
  announcedSizeBytes: number,
): Promise<Answer> {
  const { promise: answered, resolve: stop } = Promise.withResolvers<void>();
  async function* body() {
    yield Buffer.alloc(1000);
    await answered;
  }
  const length = String(announcedSizeBytes);
  const changes = { 'Content-Range': range, 'Content-Length': length };
  const request = upload.partRequest(0, bytesOf(1000), changes);
  return api.transmit({ ...request, body: body() }).finally(stop);
}

/** Opens a connection on which a part has begun to arrive. */
async function beginPart(upload: Multipart, at: number, bytes: Buffer): Promise<RawConnection> {
  const connection = new RawConnection(api.url);
  connection.write(headOf(upload.partRequest(at, bytes, { Expect: '100-continue' })));
  await connection.until(/100 Continue/);
  connection.write(bytes.subarray(0, bytes.length / 2));
  return connection;
}

async function endPart(connection: RawConnection, bytes: Buffer): Promise<void> {
  connection.write(bytes.subarray(bytes.length / 2));
  await connection.until(/HTTP\/1\.1 204 No Content\r\n/);
}

async function assertParts(upload: Multipart, parts: Readonly<Record<string, Buffer>>) {
  assert.deepEqual(
    (await upload.page()).Parts.map((part) => [part.RangeInBytes, part.SHA256TreeHash]),
    Object.entries(parts).map(([range, bytes]) => [range, treeHashOf(bytes)]),
  );
}

test('a part answers 204 with its tree hash', async () => {
  const upload = await initiate(4 * M);
  const bytes = bytesOf(2.5 * M);
  const answer = await upload.send(0, bytes);
  assertEmpty(answer, 204);
  assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHashOf(bytes));
});

for (const sizeBytes of [1, M - 1, M, M + 1, 2 * M - 1, 2 * M]) {
  test(`a part of 2 MiB at most may have ${sizeBytes} bytes, at any place`, async () => {
    const upload = await initiate(2 * M);
    const bytes = bytesOf(sizeBytes);
    for (const at of [6 * M, 0]) assertEmpty(await upload.send(at, bytes), 204);
    const last = sizeBytes - 1;
    await assertParts(upload, { [`0-${last}`]: bytes, [`${6 * M}-${6 * M + last}`]: bytes });
  });
}

for (const partSizeBytes of [M, 4 * gibibyte]) {
  test(`of parts of ${partSizeBytes} bytes number 10,000 is taken, not number 10,001`, async () => {
    const upload = await initiate(partSizeBytes);
    const at = 9999 * partSizeBytes;
    assertEmpty(await upload.send(at, bytesOf(1)), 204);
    const message =
      'This is part number 10001 for the current multipart upload. ' +
      'It exceeds the limit of 10000 parts.';
    assertInvalid(await upload.send(10_000 * partSizeBytes, bytesOf(1)), message);
    assert.deepEqual(await upload.ranges(), [`${at}-${at}`]);
  });
}

test('a part number is told however large it is', async () => {
  const upload = await initiate();
  const message =
    'This is part number 20001 for the current multipart upload. ' +
    'It exceeds the limit of 10000 parts.';
  assertInvalid(await upload.send(20_000 * M, bytesOf(1)), message);
});

for (const partSizeBytes of [M, 2 * M, 4 * gibibyte]) {
  test(`a part of ${partSizeBytes + 1} bytes is too large by one, and is not read`, async () => {
    const upload = await initiate(partSizeBytes);
    const range = `bytes 0-${partSizeBytes}/*`;
    const answer = await refusedByHead(upload, range, partSizeBytes + 1);
    const message = `Content-Range: ${range} is incompatible with part size: ${partSizeBytes}`;
    assertInvalid(answer, message);
    assert.deepEqual(await upload.ranges(), []);
  });
}

for (const at of [1, M / 2, M - 1, M + 1, 3 * M]) {
  test(`a part of 2 MiB that starts at byte ${at} is not aligned`, async () => {
    const upload = await initiate(2 * M);
    const answer = await upload.send(at, bytesOf(10));
    const range = `bytes ${at}-${at + 9}/*`;
    const message = `Content-Range: ${range} is not aligned with part size: ${2 * M}`;
    assertInvalid(answer, message);
    assert.deepEqual(await upload.ranges(), []);
  });
}

for (const total of ['10', '2621440', '1']) {
  test(`a range may name a total, even ${total}, which does not matter`, async () => {
    const upload = await initiate();
    const changes = { 'Content-Range': `bytes 0-9/${total}` };
    assertEmpty(await upload.send(0, bytesOf(10), changes), 204);
    assert.deepEqual(await upload.ranges(), ['0-9']);
  });
}

for (const range of [
  ...['bytes=0-9/*', 'bytes=0-9', 'bytes 0-9', '0-9/*', 'bytes 9-0/*', 'bytes 0-/*'],
  ...['bytes -9/*', 'bytes */10', 'bytes a-b/*', 'bytes 0-9/x', 'bytes 0-9/', 'items 0-9/*'],
  ...['bytes 0-9,20-29/*', 'bytes 0.0-9/*', 'bytes 909994937-909994936/*'],
]) {
  test(`the range "${range}" is none: 400`, async () => {
    const upload = await initiate();
    const answer = await upload.send(0, bytesOf(10), { 'Content-Range': range });
    assertInvalid(answer, `Invalid Content-Range: ${range}`);
  });
}

test('a range beyond all numbers answers 400', async () => {
  const upload = await initiate();
  const range = 'bytes 99999999999999999999-99999999999999999999/*';
  const answer = await upload.send(0, bytesOf(1), { 'Content-Range': range });
  assertInvalid(answer, /Content-Range: |^This is part number /);
});

for (const [range, sizeBytes] of [
  ['bytes 0-9/*', 9],
  ['bytes 0-9/*', 11],
  ['bytes 0-9/10', 9],
  ['bytes 0-0/*', 0],
  ['bytes 0-4194303/*', 3_146_447],
] as const) {
  test(`the range "${range}" does not go with ${sizeBytes} bytes`, async () => {
    const upload = await initiate(4 * M);
    const answer = await upload.send(0, bytesOf(sizeBytes), { 'Content-Range': range });
    const length = `Content-Length: ${sizeBytes}`;
    assertInvalid(answer, `Content-Range: ${range} is incompatible with ${length}`);
    assert.deepEqual(await upload.ranges(), []);
  });
}

for (const name of ['Content-Range', 'x-amz-sha256-tree-hash', 'x-amz-content-sha256']) {
  test(`a part without ${name}, or with an empty one, answers 400`, async () => {
    const upload = await initiate();
    for (const value of [null, '']) {
      assertMissing(await upload.send(0, bytesOf(10), { [name]: value }), name);
    }
    assert.deepEqual(await upload.ranges(), []);
  });
}

describe('a part whose length is not announced', () => {
  const chunked = { 'Content-Length': null, 'Transfer-Encoding': 'chunked' };

  test('is taken when it is as long as its range', async () => {
    const upload = await initiate();
    const bytes = bytesOf(700_000);
    assertEmpty(await upload.send(0, bytes, chunked), 204);
    await assertParts(upload, { '0-699999': bytes });
  });

  for (const sizeBytes of [0, 9, 11, 700_000]) {
    test(`answers 400 when it has ${sizeBytes} bytes and its range ten`, async () => {
      const upload = await initiate();
      const changes = { ...chunked, 'Content-Range': 'bytes 0-9/*' };
      const answer = await upload.send(0, bytesOf(sizeBytes), changes);
      assertInvalid(answer, /^Content-Range: bytes 0-9\/\* is incompatible with Content-Length: /);
      assert.deepEqual(await upload.ranges(), []);
    });
  }
});

test('a part without length and without chunks has none, whatever its hashes say', async () => {
  const upload = await initiate();
  for (const changes of [{}, { 'x-amz-content-sha256': sha256Hex('') }]) {
    using connection = new RawConnection(api.url);
    const lengthless = { ...changes, 'Content-Length': null };
    connection.write(headOf(upload.partRequest(0, bytesOf(10), lengthless)));
    const text = await connection.until(/"type":"Client"\}$/);
    assert.match(text, /^HTTP\/1\.1 400 /);
    const message = 'Content-Range: bytes 0-9/* is incompatible with Content-Length: 0';
    assert.ok(text.includes(`"InvalidParameterValueException","message":"${message}"`), text);
  }
  assert.deepEqual(await upload.ranges(), []);
});

test('the type of a part does not matter', async () => {
  const upload = await initiate();
  for (const type of ['binary/octet-stream', 'application/json', 'multipart/form-data', '*']) {
    assertEmpty(await upload.send(0, bytesOf(5), { 'Content-Type': type }), 204);
  }
});

test('hashes may be written in upper case; the answer is in lower case', async () => {
  const upload = await initiate();
  const bytes = bytesOf(50);
  const answer = await upload.send(0, bytes, {
    'x-amz-sha256-tree-hash': treeHashOf(bytes).toUpperCase(),
    'x-amz-content-sha256': sha256Hex(bytes).toUpperCase(),
  });
  assertEmpty(answer, 204);
  assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHashOf(bytes));
  await assertParts(upload, { '0-49': bytes });
});

describe('a part with wrong hashes', () => {
  const bytes = bytesOf(1.5 * M);
  const linear = { 'x-amz-content-sha256': sha256Hex('something else') };
  const mismatch =
    'The value passed in as x-amz-content-sha256 does not match the computed payload hash. ' +
    `Computed digest: ${sha256Hex(bytes)} expected hash: ${sha256Hex('something else')}`;

  for (const value of ['000', 'tree hash', `${'0'.repeat(63)}g`]) {
    test(`answers 400 when the tree hash "${value}" is not hexadecimal`, async () => {
      const upload = await initiate(2 * M);
      const answer = await upload.send(0, bytes, { 'x-amz-sha256-tree-hash': value });
      assertInvalid(answer, `Invalid x-amz-sha256-tree-hash: ${value}`);
    });
  }

  for (const claimed of ['0'.repeat(32), '0'.repeat(64), '0'.repeat(128), sha256Hex(bytes)]) {
    test(`answers 400 with both tree hashes when ${claimed} is not it`, async () => {
      const upload = await initiate(2 * M);
      const answer = await upload.send(0, bytes, { 'x-amz-sha256-tree-hash': claimed });
      const computed = treeHashOf(bytes);
      assertInvalid(answer, `Checksum mismatch: expected ${claimed}, computed ${computed}`);
      assert.deepEqual(await upload.ranges(), []);
    });
  }

  test('answers 403 with both when the SHA-256 is another, before the tree hash', async () => {
    const upload = await initiate(2 * M);
    const changes = { ...linear, 'x-amz-sha256-tree-hash': '0'.repeat(64) };
    const answer = await upload.send(0, bytes, changes);
    assertError(answer, 403, 'InvalidSignatureException', mismatch);
    assert.deepEqual(await upload.ranges(), []);
  });
});

describe('the order in which a part is checked', () => {
  const nobody = async () => new Multipart(api, vault, 'A'.repeat(92));
  const nowhere = async () => new Multipart(api, freshName(), 'A'.repeat(92));
  const noHash: HeaderChanges = { 'x-amz-sha256-tree-hash': null };
  const badRange = 'bytes=0-9/*';
  const misfit = 'bytes 0-10/*';
  const rangeOf = (at: number, sizeBytes: number) => `bytes ${at}-${at + sizeBytes - 1}/*`;

  for (const [place, find] of [
    ['an unknown vault', nowhere],
    ['an unknown upload', nobody],
    ['an open upload', initiate],
  ] as const) {
    test(`is: range, length, hashes, and only then ${place}`, async () => {
      const upload = await find();
      const send = (changes: HeaderChanges) => upload.send(0, bytesOf(10), changes);
      assertMissing(await send({ ...noHash, 'Content-Range': null }), 'Content-Range');
      assertInvalid(
        await send({ ...noHash, 'Content-Range': badRange }),
        `Invalid Content-Range: ${badRange}`,
      );
      assertInvalid(
        await send({ ...noHash, 'Content-Range': misfit }),
        `Content-Range: ${misfit} is incompatible with Content-Length: 10`,
      );
      assertMissing(await send(noHash), 'x-amz-sha256-tree-hash');
      assertInvalid(
        await send({ 'x-amz-sha256-tree-hash': '000' }),
        'Invalid x-amz-sha256-tree-hash: 000',
      );
    });
  }

  test('is: the upload before its part size, and that before the bytes', async () => {
    const upload = await nobody();
    assertUnknownUpload(await upload.send(5, bytesOf(10)), upload);
    assertUnknownUpload(await upload.send(10_000 * M, bytesOf(10)), upload);
    const wrong = { 'x-amz-content-sha256': sha256Hex('something else') };
    assertUnknownUpload(await upload.send(0, bytesOf(10), wrong), upload);
  });

  test('is: alignment, then size, then number, then the bytes', async () => {
    const upload = await initiate();
    const wrong = { 'x-amz-content-sha256': sha256Hex('something else') };
    const tooLarge = bytesOf(M + 1);
    const far = 10_000 * M;
    assertInvalid(await upload.send(far + 1, tooLarge, wrong), / is not aligned with part size: /);
    const message = `Content-Range: ${rangeOf(far, M + 1)} is incompatible with part size: ${M}`;
    assertInvalid(await upload.send(far, tooLarge, wrong), message);
    assertInvalid(await upload.send(far, bytesOf(10), wrong), /^This is part number 10001 /);
    const last = await upload.send(0, bytesOf(10), wrong);
    assertError(last, 403, 'InvalidSignatureException', /computed payload hash/);
  });

  for (const [shown, find, at, status] of [
    ['of an unknown upload', nobody, 0, 404],
    ['that is not aligned', initiate, 5, 400],
    ['that has too high a number', initiate, 10_000 * M, 400],
  ] as const) {
    test(`ends before the bytes are asked for, for a part ${shown}`, async () => {
      const upload = await find();
      const bytes = bytesOf(1000);
      using connection = new RawConnection(api.url);
      connection.write(headOf(upload.partRequest(at, bytes, { Expect: '100-continue' })));
      const text = await connection.until(/"type":"Client"\}$/);
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
    });
  }
});

describe('a part that is sent again', () => {
  const first = bytesOf(700_000);

  async function withPart(): Promise<Multipart> {
    const upload = await initiate();
    await upload.put(0, first);
    return upload;
  }

  test('with the same bytes stays the one part that it is', async () => {
    const upload = await withPart();
    await upload.put(0, first);
    await assertParts(upload, { '0-699999': first });
  });

  for (const sizeBytes of [1, 700_000, M]) {
    test(`with ${sizeBytes} other bytes takes the place of the first`, async () => {
      const upload = await withPart();
      const second = bytesOf(sizeBytes);
      await upload.put(0, second);
      await assertParts(upload, { [`0-${sizeBytes - 1}`]: second });
      const archiveId = await upload.complete(second);
      assert.ok((await retrieve(api, vault, archiveId)).equals(second));
    });
  }

  test('gives the space of the first back', { skip: onlyOwnServer }, async () => {
    const upload = await withPart();
    const before = storedFiles(dataDirectory ?? '');
    for (let time = 0; time < 3; time += 1) await upload.put(0, bytesOf(800_000));
    await eventually('only the file of the last is new', () => {
      return filesSince(dataDirectory ?? '', before).length === 1;
    });
  });

  const failures: Readonly<Record<string, (upload: Multipart) => Promise<void>>> = {
    'with a wrong SHA-256': async (upload) => {
      const wrong = { 'x-amz-content-sha256': sha256Hex('something else') };
      assert.equal((await upload.send(0, bytesOf(M), wrong)).status, 403);
    },
    'with a wrong tree hash': async (upload) => {
      const wrong = { 'x-amz-sha256-tree-hash': '0'.repeat(64) };
      assert.equal((await upload.send(0, bytesOf(M), wrong)).status, 400);
    },
    'by a client that goes away half-way': async (upload) => {
      (await beginPart(upload, 0, bytesOf(M))).destroy();
    },
    'by a client that closes its side too early': async (upload) => {
      const connection = await beginPart(upload, 0, bytesOf(M));
      connection.end();
      assert.doesNotMatch(await connection.untilClosed(), /HTTP\/1\.1 2/);
    },
  };

  for (const [shown, fail] of Object.entries(failures)) {
    test(`${shown} leaves the first as it was, and nothing beside it`, async () => {
      const upload = await withPart();
      const before = dataDirectory === undefined ? new Map() : storedFiles(dataDirectory);
      await fail(upload);
      await assertParts(upload, { '0-699999': first });
      if (dataDirectory !== undefined) {
        await eventually('the file of the failure is gone', () => {
          return filesSince(dataDirectory, before).length === 0;
        });
      }
      assert.ok((await retrieve(api, vault, await upload.complete(first))).equals(first));
    });
  }
});

describe('parts at the same time', () => {
  test('are not listed before they have arrived', async () => {
    const upload = await initiate();
    const bytes = bytesOf(M);
    using connection = await beginPart(upload, 0, bytes);
    assert.deepEqual(await upload.ranges(), []);
    await endPart(connection, bytes);
    await assertParts(upload, { [`0-${M - 1}`]: bytes });
  });

  test('of one place: the one that ends last wins, whole, whoever began first', async () => {
    const upload = await initiate();
    const [slow, quick] = [bytesOf(M), bytesOf(800_000)];
    using connection = await beginPart(upload, 0, slow);
    await upload.put(0, quick);
    await assertParts(upload, { '0-799999': quick });
    await endPart(connection, slow);
    await assertParts(upload, { [`0-${M - 1}`]: slow });
    assert.ok((await retrieve(api, vault, await upload.complete(slow))).equals(slow));
  });

  test('of one place are never mixed', async () => {
    const upload = await initiate();
    const contents = Array.from({ length: 8 }, (_, index) => bytesOf(600_000 + index * 50_000));
    const answers = await Promise.all(contents.map((bytes) => upload.send(0, bytes)));
    for (const answer of answers) assertEmpty(answer, 204);
    const { Parts } = await upload.page();
    assert.equal(Parts.length, 1);
    const winner = contents.find((bytes) => treeHashOf(bytes) === Parts[0]?.SHA256TreeHash);
    assert.ok(winner !== undefined);
    assert.equal(Parts[0]?.RangeInBytes, `0-${winner.length - 1}`);
    assert.ok((await retrieve(api, vault, await upload.complete(winner))).equals(winner));
  });

  test('of many places, in any order, are all there', async () => {
    const upload = await initiate();
    const whole = bytesOf(11.5 * M);
    const places = [11, 3, 7, 0, 9, 1, 10, 2, 8, 4, 6, 5];
    await Promise.all(
      places.map((index) => upload.put(index * M, whole.subarray(index * M, (index + 1) * M))),
    );
    assert.equal((await upload.ranges()).length, 12);
    assert.ok((await retrieve(api, vault, await upload.complete(whole))).equals(whole));
  });
});

describe('a part that stops half-way', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const server = await startServer({ env: { FIRN_BODY_IDLE_TIMEOUT: '1s' } });
  after(() => server[Symbol.asyncDispose]());
  const impatient = new Api({ url: server.url, credentials: account.credentials });
  after(() => impatient[Symbol.dispose]());

  test('answers 408 RequestTimeoutException, and the upload goes on', async () => {
    const upload = await Multipart.initiate(impatient, await createVault(impatient));
    const first = bytesOf(10);
    await upload.put(0, first);
    const bytes = bytesOf(M);
    using connection = new RawConnection(server.url);
    connection.write(headOf(upload.partRequest(0, bytes)));
    connection.write(bytes.subarray(0, 700_000));
    const text = await connection.untilClosed();
    assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    const body =
      '{"code":"RequestTimeoutException","message":"Request timed out.","type":"Client"}';
    assert.ok(text.endsWith(`\r\n\r\n${body}`), text);
    await assertParts(upload, { '0-9': first });
    await upload.complete(first);
  });
});
