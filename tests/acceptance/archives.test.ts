import assert from 'node:assert/strict';
import test from 'node:test';
import {
  bytesOf,
  completedJob,
  createVault,
  deleteArchive,
  describeVault,
  freshName,
  getOutput,
  type Inventory,
  initiateJob,
  inventoryOf,
  jsonOf,
  outputOf,
  retrieve,
  upload,
  uploadHeaders,
} from '../support/deeds.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import type { Answer } from '../support/http.ts';
import { type HeaderLines, sha256Hex } from '../support/signature.ts';
import { SimulatedClock, startServer } from '../support/start-server.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const { api, account } = await openTarget();
const vault = await createVault(api);
const target = `/-/vaults/${vault}/archives`;

/** An upload, with some of its headers replaced: by another value, or by nothing. */
function send(body: Uint8Array, changes: Readonly<Record<string, string | null>> = {}) {
  const usual = uploadHeaders(body).filter(([name]) => !(name in changes));
  const changed = Object.entries(changes).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const],
  );
  const without = 'content-length' in changes ? ['content-length'] : [];
  return api.call('POST', target, { body, headers: [...usual, ...changed], without });
}

/** Runs `refused` on a vault and checks that nothing of it stayed. */
async function leavesNothing(refused: () => Promise<Answer>): Promise<Answer> {
  const before = await describeVault(api, vault);
  const answer = await refused();
  assert.deepEqual(await describeVault(api, vault), before);
  return answer;
}

const archiveIdOf = (answer: Answer) => answer.headers.get('x-amz-archive-id') ?? '';

test('an upload answers 201 with id, location and tree hash', async () => {
  const bytes = bytesOf(2.5 * mebibyte);
  const answer = await send(bytes);
  assertEmpty(answer, 201);
  const archiveId = archiveIdOf(answer);
  assert.match(archiveId, /^[A-Za-z0-9][A-Za-z0-9_-]{137}$/);
  const location = `/${account.accountId}/vaults/${vault}/archives/${archiveId}`;
  assert.equal(answer.headers.get('location'), location);
  assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHashOf(bytes));
});

for (const sizeBytes of [1, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte + 17]) {
  test(`an archive of ${sizeBytes} bytes comes back as it went in`, async () => {
    const bytes = bytesOf(sizeBytes);
    assert.ok((await retrieve(api, vault, archiveIdOf(await send(bytes)))).equals(bytes));
  });
}

test('the same bytes uploaded twice are two archives', async () => {
  const bytes = bytesOf(100);
  const own = await createVault(api);
  const headers = uploadHeaders(bytes);
  const ids = new Set<string>();
  for (let time = 0; time < 2; time += 1) {
    const answer = await api.call('POST', `/-/vaults/${own}/archives`, { headers, body: bytes });
    ids.add(archiveIdOf(answer));
  }
  assert.equal(ids.size, 2);
  assert.equal((await describeVault(api, own)).NumberOfArchives, 2);
});

test('the type of an upload does not matter', async () => {
  for (const type of ['binary/octet-stream', 'application/json', 'multipart/form-data', '*']) {
    const answer = await send(bytesOf(5), { 'Content-Type': type });
    assertEmpty(answer, 201);
  }
});

test('hashes may be written in upper case; the answer is in lower case', async () => {
  const bytes = bytesOf(50);
  const answer = await send(bytes, {
    'x-amz-sha256-tree-hash': treeHashOf(bytes).toUpperCase(),
    'x-amz-content-sha256': sha256Hex(bytes).toUpperCase(),
  });
  assertEmpty(answer, 201);
  assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHashOf(bytes));
});

test('uploading to an unknown vault answers 404', async () => {
  const name = freshName();
  const body = bytesOf(10);
  const headers = uploadHeaders(body);
  const answer = await api.call('POST', `/-/vaults/${name}/archives`, { headers, body });
  const arn = `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${name}`;
  assertError(answer, 404, 'ResourceNotFoundException', `Vault not found for ARN: ${arn}`);
});

test('an empty body answers 400', async () => {
  const answer = await leavesNothing(() => send(Buffer.alloc(0)));
  assertError(answer, 400, 'InvalidParameterValueException', 'Invalid Content-Length: 0');
});

test('no body at all, with the hashes of nothing or with none, answers 400', async () => {
  const bare = await api.call('POST', target);
  assertError(bare, 400, 'InvalidParameterValueException', 'Invalid Content-Length: 0');
});

for (const sizeBytes of [4_294_967_297, 38_505_164_800]) {
  test(`${sizeBytes} announced bytes answer 400 without being read`, async () => {
    const bytes = bytesOf(10);
    const headers: HeaderLines = [...uploadHeaders(bytes), ['Content-Length', String(sizeBytes)]];
    const request = api.prepare('POST', target, { headers, without: ['content-length'] });
    const answer = await leavesNothing(() => refusedBeforeBody(request));
    const message = `Invalid Content-Length: ${sizeBytes}`;
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });
}

/** Sends the head and a little of the body, and takes the answer, which does not wait for more. */
function refusedBeforeBody(request: Parameters<typeof api.transmit>[0]): Promise<Answer> {
  const { promise: answered, resolve: stop } = Promise.withResolvers<void>();
  async function* body() {
    yield Buffer.alloc(1000);
    await answered;
  }
  return api.transmit({ ...request, body: body() }).finally(stop);
}

test('a body whose length is not announced answers 400', async () => {
  const bytes = bytesOf(10);
  const headers: HeaderLines = [...uploadHeaders(bytes), ['Transfer-Encoding', 'chunked']];
  const answer = await leavesNothing(() =>
    api.call('POST', target, { headers, body: bytes, without: ['content-length'] }),
  );
  const message = 'Required parameter missing: Content-Length';
  assertError(answer, 400, 'MissingParameterValueException', message);
});

for (const name of ['x-amz-sha256-tree-hash', 'x-amz-content-sha256']) {
  test(`an upload without ${name} answers 400`, async () => {
    const answer = await leavesNothing(() => send(bytesOf(10), { [name]: null }));
    const message = `Required parameter missing: ${name}`;
    assertError(answer, 400, 'MissingParameterValueException', message);
  });

  test(`an upload with an empty ${name} answers 400`, async () => {
    const answer = await leavesNothing(() => send(bytesOf(10), { [name]: '' }));
    const message = `Required parameter missing: ${name}`;
    assertError(answer, 400, 'MissingParameterValueException', message);
  });
}

for (const value of ['000', 'tree hash', `${'0'.repeat(63)}g`]) {
  test(`the tree hash "${value}", which is not hexadecimal, answers 400`, async () => {
    const answer = await leavesNothing(() =>
      send(bytesOf(10), { 'x-amz-sha256-tree-hash': value }),
    );
    const message = `Invalid x-amz-sha256-tree-hash: ${value}`;
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });
}

for (const digits of [32, 64, 128]) {
  test(`a wrong tree hash of ${digits} hexadecimal digits answers 400 with both`, async () => {
    const bytes = bytesOf(1.5 * mebibyte);
    const claimed = '0'.repeat(digits);
    const answer = await leavesNothing(() => send(bytes, { 'x-amz-sha256-tree-hash': claimed }));
    const message = `Checksum mismatch: expected ${claimed}, computed ${treeHashOf(bytes)}`;
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });
}

test('the SHA-256 of more than 1 MiB is not its tree hash', async () => {
  const bytes = bytesOf(2 * mebibyte);
  const claimed = sha256Hex(bytes);
  const answer = await leavesNothing(() => send(bytes, { 'x-amz-sha256-tree-hash': claimed }));
  const message = `Checksum mismatch: expected ${claimed}, computed ${treeHashOf(bytes)}`;
  assertError(answer, 400, 'InvalidParameterValueException', message);
});

test('another SHA-256 than that of the body answers 403 with both, before the tree hash', async () => {
  const bytes = bytesOf(2 * mebibyte);
  const answer = await leavesNothing(() =>
    send(bytes, {
      'x-amz-content-sha256': sha256Hex('something else'),
      'x-amz-sha256-tree-hash': treeHashOf(Buffer.from('something else')),
    }),
  );
  assertError(
    answer,
    403,
    'InvalidSignatureException',
    'The value passed in as x-amz-content-sha256 does not match the computed payload hash. ' +
      `Computed digest: ${sha256Hex(bytes)} expected hash: ${sha256Hex('something else')}`,
  );
});

test('a SHA-256 that is none is one that does not match', async () => {
  const bytes = bytesOf(10);
  const answer = await send(bytes, { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' });
  assertError(answer, 403, 'InvalidSignatureException', /expected hash: UNSIGNED-PAYLOAD$/);
});

async function descriptionAfter(value: string | null): Promise<string | undefined> {
  const answer = await send(bytesOf(3), { 'x-amz-archive-description': value });
  assertEmpty(answer, 201);
  const { ArchiveList } = await inventoryOf(api, vault);
  const found = ArchiveList.find(({ ArchiveId }) => ArchiveId === archiveIdOf(answer));
  return found?.ArchiveDescription;
}

test('descriptions are kept character by character, runs of blanks too', async () => {
  const printable = Array.from({ length: 93 }, (_, at) => String.fromCharCode(33 + at)).join('');
  for (const description of ['plain', 'a   b  c', `${printable}~`, 'x'.repeat(1024)]) {
    assert.equal(await descriptionAfter(description), description);
  }
});

test('no description, and an empty one, are an empty text', async () => {
  assert.equal(await descriptionAfter(null), '');
  assert.equal(await descriptionAfter(''), '');
});

test('blanks around a description are dropped', async () => {
  assert.equal(await descriptionAfter('  in the middle  '), 'in the middle');
});

const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const badDescriptions: readonly (readonly [shown: string, value: string])[] = [
  ['of 1,025 characters', 'x'.repeat(1025)],
  ['with a tab in it', 'a\tb'],
  ['beyond ASCII', 'café'],
];

for (const [shown, value] of badDescriptions) {
  test(`a description ${shown} answers 400`, async () => {
    const answer = await leavesNothing(() =>
      send(bytesOf(10), { 'x-amz-archive-description': latin1(value) }),
    );
    const message = `Invalid x-amz-archive-description: ${value}`;
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });
}

test('what an archive is described as never changes, whatever time and its neighbours do', {
  skip: onlyOwnServer,
}, async () => {
  const clock = new SimulatedClock(Date.UTC(2026, 1, 3, 4, 5, 6, 789));
  await using server = await startServer({ clock });
  using there = api.as({ url: server.url, now: () => clock.now() });
  const name = await createVault(there);
  const bytes = bytesOf(1.5 * mebibyte);
  const description = 'holidays   1999 "north"';
  const archiveId = await upload(there, name, bytes, description);
  const neighbours: string[] = [];
  for (let count = 0; count < 5; count += 1) neighbours.push(await upload(there, name, bytesOf(9)));
  const expected = {
    ArchiveId: archiveId,
    ArchiveDescription: description,
    CreationDate: '2026-02-03T04:05:06Z',
    Size: bytes.length,
    SHA256TreeHash: treeHashOf(bytes),
  };
  const output = async (parameters: unknown) => {
    const jobId = await initiateJob(there, name, parameters);
    await completedJob(there, name, jobId, clock);
    return await getOutput(there, name, jobId);
  };
  const described = async () => {
    const { ArchiveList } = jsonOf<Inventory>(await output({ Type: 'inventory-retrieval' }));
    return ArchiveList.find((one) => one.ArchiveId === archiveId);
  };
  assert.deepEqual(await described(), expected);
  for (const neighbour of neighbours) {
    await deleteArchive(there, name, neighbour);
    clock.advance(30 * 24 * 60 * 60 * 1000);
    assert.deepEqual(await described(), expected);
  }
  const retrieved = await output({ Type: 'archive-retrieval', ArchiveId: archiveId });
  assert.equal(retrieved.headers.get('x-amz-archive-description'), description);
  assert.ok(retrieved.body.equals(bytes));
});

test('a description that was changed after it was signed answers 403', async () => {
  const bytes = bytesOf(10);
  const headers: HeaderLines = [
    ...uploadHeaders(bytes),
    ['x-amz-archive-description', latin1('café')],
  ];
  const request = api.prepare('POST', target, { body: bytes, headers });
  const changed = request.headers.map(
    ([name, value]) => [name, name === 'x-amz-archive-description' ? 'caf\u00e9' : value] as const,
  );
  const answer = await leavesNothing(() => api.transmit({ ...request, headers: changed }));
  assertError(answer, 403, 'InvalidSignatureException', /does not match/);
});

test('FIRN_UTF8_DESCRIPTIONS=yes keeps descriptions beyond ASCII, byte for byte', {
  skip: onlyOwnServer,
}, async () => {
  await using server = await startServer({ env: { FIRN_UTF8_DESCRIPTIONS: 'yes' } });
  using there = api.as({ url: server.url });
  const name = await createVault(there);
  const description = 'Gletscher – névé – 氷河 "❄"';
  const archiveId = await upload(there, name, bytesOf(4), latin1(description));
  const { ArchiveList } = await inventoryOf(there, name);
  assert.equal(ArchiveList[0]?.ArchiveDescription, description);
  const output = await outputOf(there, name, { Type: 'archive-retrieval', ArchiveId: archiveId });
  assert.equal(output.headers.get('x-amz-archive-description'), latin1(description));
});
