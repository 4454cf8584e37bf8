import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  bytesOf,
  createVault,
  deleteArchive,
  describeVault,
  freshName,
  inventoryOf,
  retrieve,
} from '../support/deeds.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import { type Answer, headOf, RawConnection } from '../support/http.ts';
import {
  assertInvalid,
  assertMissing,
  assertUnknownUpload,
  type HeaderChanges,
  listUploads,
  Multipart,
  partsOf,
} from '../support/multipart.ts';
import { type HeaderLines, sha256Hex } from '../support/signature.ts';
import { openTarget } from '../support/target.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const { api, account } = await openTarget();
const vault = await createVault(api);
const M = mebibyte;

const archiveIdOf = (answer: Answer) => answer.headers.get('x-amz-archive-id') ?? '';

/** An upload of its own vault, with all the parts of `whole`. */
async function uploadOf(whole: Buffer, partSizeBytes = M): Promise<Multipart> {
  const upload = await Multipart.initiate(api, await createVault(api), { partSizeBytes });
  await upload.putAll(whole, partSizeBytes);
  return upload;
}

async function archiveCount({ vault: name }: Multipart): Promise<number | null> {
  return (await describeVault(api, name)).NumberOfArchives;
}

function assertCompleted(answer: Answer, whole: Buffer, name: string): void {
  assertEmpty(answer, 201);
  const archiveId = archiveIdOf(answer);
  assert.match(archiveId, /^[A-Za-z0-9][A-Za-z0-9_-]{137}$/);
  const location = `/${account.accountId}/vaults/${name}/archives/${archiveId}`;
  assert.equal(answer.headers.get('location'), location);
  assert.equal(answer.headers.get('x-amz-sha256-tree-hash'), treeHashOf(whole));
}

describe('completing an upload', () => {
  test('answers 201 with id, location and tree hash of the archive', async () => {
    const whole = bytesOf(2.5 * M);
    const upload = await uploadOf(whole);
    const answer = await upload.finish(whole);
    assertCompleted(answer, whole, upload.vault);
    const { NumberOfArchives, SizeInBytes } = await describeVault(api, upload.vault);
    assert.deepEqual(
      { NumberOfArchives, SizeInBytes },
      { NumberOfArchives: 1, SizeInBytes: 2.5 * M },
    );
    assert.deepEqual(await listUploads(api, upload.vault), { Marker: null, UploadsList: [] });
    assert.ok((await retrieve(api, upload.vault, archiveIdOf(answer))).equals(whole));
  });

  for (const [sizeBytes, partSizeBytes] of [
    [1, M],
    [M - 1, M],
    [M, M],
    [M + 1, M],
    [2 * M, M],
    [2 * M, 2 * M],
    [5.5 * M, 4 * M],
    [3 * M + 1, 2 * M],
    [10, 4096 * M],
  ] as const) {
    test(`makes an archive of ${sizeBytes} bytes out of parts of ${partSizeBytes}`, async () => {
      const whole = bytesOf(sizeBytes);
      const upload = await uploadOf(whole, partSizeBytes);
      const answer = await upload.finish(whole);
      assertCompleted(answer, whole, upload.vault);
      assert.ok((await retrieve(api, upload.vault, archiveIdOf(answer))).equals(whole));
    });
  }

  test('may have a JSON body, as one client sends it, or no length at all', async () => {
    const whole = bytesOf(10);
    const headers: HeaderLines = [
      ['x-amz-archive-size', '10'],
      ['x-amz-sha256-tree-hash', treeHashOf(whole)],
    ];
    const json: HeaderLines = [...headers, ['Content-Type', 'application/json']];
    const first = await uploadOf(whole);
    assertEmpty(await api.call('POST', first.target, { headers: json, body: '{}' }), 201);
    const second = await uploadOf(whole);
    const request = api.prepare('POST', second.target, { headers, without: ['content-length'] });
    using connection = new RawConnection(api.url);
    connection.write(headOf(request));
    assert.match(await connection.until(/\r\n\r\n/), /^HTTP\/1\.1 201 Created\r\n/);
  });

  test('takes a tree hash in upper case, and answers in lower case', async () => {
    const whole = bytesOf(1.5 * M);
    const upload = await uploadOf(whole);
    const upperCase = treeHashOf(whole).toUpperCase();
    const answer = await upload.finish(whole, { 'x-amz-sha256-tree-hash': upperCase });
    assertCompleted(answer, whole, upload.vault);
  });

  test('after any order of parts, some of them sent twice, gives the same archive', async () => {
    const orders = fc
      .record({
        sizeBytes: fc.integer({ min: 1, max: 5 * M }),
        partSizeBytes: fc.constantFrom(M, 2 * M, 4 * M),
        keys: fc.array(fc.integer(), { minLength: 5, maxLength: 5 }),
        again: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
        atOnce: fc.boolean(),
      })
      .map(({ keys, ...rest }) => {
        const places = keys.map((key, place) => ({ key, place })).sort((a, b) => a.key - b.key);
        return { ...rest, order: places.map(({ place }) => place) };
      });
    await fc.assert(
      fc.asyncProperty(orders, async ({ sizeBytes, partSizeBytes, order, again, atOnce }) => {
        const whole = bytesOf(sizeBytes);
        const parts = partsOf(whole, partSizeBytes);
        const upload = await Multipart.initiate(api, vault, { partSizeBytes });
        const sent = [...order, ...again].flatMap((place) => {
          const part = parts[place];
          return part === undefined ? [] : [part];
        });
        if (atOnce) await Promise.all(sent.map((part) => upload.put(...part)));
        else for (const part of sent) await upload.put(...part);
        const answer = await upload.finish(whole);
        assertCompleted(answer, whole, vault);
        assert.ok((await retrieve(api, vault, archiveIdOf(answer))).equals(whole));
      }),
      { numRuns: 12 },
    );
  });
});

describe('an upload that can not be completed yet', () => {
  const size = 'x-amz-archive-size';
  const treeHash = 'x-amz-sha256-tree-hash';
  const whole = bytesOf(2.5 * M);

  /** Checks that nothing came of it, and that the call can be repeated as it should be. */
  async function staysOpen(upload: Multipart, refused: () => Promise<void>): Promise<void> {
    const before = await upload.page();
    await refused();
    assert.deepEqual(await upload.page(), before);
    assert.equal(await archiveCount(upload), 0);
    assertCompleted(await upload.finish(whole), whole, upload.vault);
  }

  for (const name of [treeHash, size]) {
    test(`answers 400 when ${name} is missing or empty, and stays open`, async () => {
      const upload = await uploadOf(whole);
      await staysOpen(upload, async () => {
        for (const value of [null, '']) {
          assertMissing(await upload.finish(whole, { [name]: value }), name);
        }
      });
    });
  }

  for (const value of ['0', '-1', '-2621440', 'abc', '2.5', '2621440.0', '1e3', '0x10', '+1']) {
    test(`answers 400 when the size is "${value}", and stays open`, async () => {
      const upload = await uploadOf(whole);
      await staysOpen(upload, async () => {
        assertInvalid(await upload.finish(whole, { [size]: value }), `Invalid ${size}: ${value}`);
      });
    });
  }

  for (const value of [
    String(whole.length - 1),
    String(whole.length + 1),
    String(3 * M),
    '1',
    '42949672960000',
    '42949672960001',
    '99999999999999999999999999',
  ]) {
    test(`answers 400 when the parts have not ${value} bytes in all, and stays open`, async () => {
      const upload = await uploadOf(whole);
      await staysOpen(upload, async () => {
        assertInvalid(await upload.finish(whole, { [size]: value }), `Invalid ${size}: ${value}`);
      });
    });
  }

  for (const value of [
    ...['000', 'tree hash', `${'0'.repeat(63)}g`],
    ...['0'.repeat(32), '0'.repeat(64), '0'.repeat(128), treeHashOf(whole.subarray(1))],
  ]) {
    test(`answers 400 when the tree hash is ${value}, and stays open`, async () => {
      const upload = await uploadOf(whole);
      await staysOpen(upload, async () => {
        const answer = await upload.finish(whole, { [treeHash]: value });
        assertInvalid(answer, `Invalid ${treeHash}: ${value}`);
      });
    });
  }

  test('answers 400 with the SHA-256 of all bytes, which is not their tree hash', async () => {
    const upload = await uploadOf(whole);
    const linear = sha256Hex(whole);
    await staysOpen(upload, async () => {
      const answer = await upload.finish(whole, { [treeHash]: linear });
      assertInvalid(answer, `Invalid ${treeHash}: ${linear}`);
    });
  });

  const part = (index: number) => whole.subarray(index * M, (index + 1) * M);

  const incomplete: readonly (readonly [
    shown: string,
    parts: readonly (readonly [at: number, bytes: Buffer])[],
    message: string | RegExp,
  ])[] = [
    ['has no parts', [], /^Missing content range: 0-\d+$/],
    ['lacks its first part', [[M, part(1)]], `Missing content range: 0-${M - 1}`],
    [
      'lacks a part in the middle',
      [
        [0, part(0)],
        [2 * M, part(2)],
      ],
      `Missing content range: ${M}-${2 * M - 1}`,
    ],
    [
      'has a short part that is not the last',
      [
        [0, part(0).subarray(0, M - 1)],
        [M, part(1)],
        [2 * M, part(2)],
      ],
      `Missing content range: ${M - 1}-${M - 1}`,
    ],
    [
      'has a short part before others',
      [
        [0, part(0)],
        [M, part(1).subarray(0, 1000)],
        [2 * M, part(2)],
      ],
      `Missing content range: ${M + 1000}-${2 * M - 1}`,
    ],
    [
      'has a far part that nothing leads to',
      [
        [0, part(0)],
        [9999 * M, part(2)],
      ],
      /^Missing content range: 1048576-\d+$/,
    ],
  ];

  for (const [shown, parts, message] of incomplete) {
    test(`answers 400 when it ${shown}`, async () => {
      const upload = await Multipart.initiate(api, await createVault(api));
      for (const [at, bytes] of parts) await upload.put(at, bytes);
      const before = await upload.page();
      const all = Buffer.concat(parts.map(([, bytes]) => bytes));
      // With the sum of what is there, with the size it should have, and with sheer nonsense.
      for (const bytes of [all, whole]) {
        const changes: HeaderChanges = bytes.length === 0 ? { [size]: '1' } : {};
        assertInvalid(await upload.finish(bytes, changes), message);
      }
      const nonsense = { [size]: '77', [treeHash]: '0'.repeat(64) };
      assertInvalid(await upload.finish(whole, nonsense), message);
      assert.deepEqual(await upload.page(), before);
      assert.equal(await archiveCount(upload), 0);
    });
  }

  test('is complete once the gap is filled, or the short part was sent again', async () => {
    const upload = await Multipart.initiate(api, await createVault(api));
    await upload.put(0, part(0).subarray(0, 5));
    await upload.put(2 * M, part(2));
    assert.equal((await upload.finish(whole)).status, 400);
    await upload.put(0, part(0));
    assert.equal((await upload.finish(whole)).status, 400);
    await upload.put(M, part(1));
    assertCompleted(await upload.finish(whole), whole, upload.vault);
  });

  test('is told about the tree hash, then the size, and then who is asked', async () => {
    const nowhere = new Multipart(api, freshName(), 'A'.repeat(92));
    const nobody = new Multipart(api, vault, 'A'.repeat(92));
    for (const upload of [nowhere, nobody]) {
      const finish = (changes: HeaderChanges) => upload.finish(whole, changes);
      assertMissing(await finish({ [treeHash]: null, [size]: null }), treeHash);
      assertMissing(await finish({ [treeHash]: null, [size]: 'abc' }), treeHash);
      assertMissing(await finish({ [size]: null }), size);
      assertInvalid(await finish({ [size]: 'abc' }), `Invalid ${size}: abc`);
      assertInvalid(await finish({ [size]: '0' }), `Invalid ${size}: 0`);
      assertInvalid(await finish({ [treeHash]: '000' }), `Invalid ${treeHash}: 000`);
    }
    const arn = `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${nowhere.vault}`;
    const answer = await nowhere.finish(whole);
    assertError(answer, 404, 'ResourceNotFoundException', `Vault not found for ARN: ${arn}`);
    assertUnknownUpload(await nobody.finish(whole, { [size]: '5' }), nobody);
  });

  test('is told about a wrong size before a wrong tree hash', async () => {
    const upload = await uploadOf(whole);
    const answer = await upload.finish(whole, { [size]: '5', [treeHash]: '0'.repeat(64) });
    assertInvalid(answer, `Invalid ${size}: 5`);
  });
});

describe('completing again', () => {
  const whole = bytesOf(1.5 * M);

  test('answers with the same archive, and makes no second one', async () => {
    const upload = await uploadOf(whole);
    const first = await upload.finish(whole);
    for (let time = 0; time < 3; time += 1) {
      const again = await upload.finish(whole);
      assertCompleted(again, whole, upload.vault);
      assert.equal(archiveIdOf(again), archiveIdOf(first));
    }
    assert.equal(await archiveCount(upload), 1);
    assert.equal((await inventoryOf(api, upload.vault)).ArchiveList.length, 1);
  });

  test('with another size or tree hash answers 400, and harms nothing', async () => {
    const upload = await uploadOf(whole);
    const archiveId = await upload.complete(whole);
    const zeros = '0'.repeat(64);
    const wrongHash = await upload.finish(whole, { 'x-amz-sha256-tree-hash': zeros });
    assertInvalid(wrongHash, `Invalid x-amz-sha256-tree-hash: ${zeros}`);
    const wrongSize = await upload.finish(whole, { 'x-amz-archive-size': '1572863' });
    assertInvalid(wrongSize, 'Invalid x-amz-archive-size: 1572863');
    const both = { 'x-amz-archive-size': '5', 'x-amz-sha256-tree-hash': zeros };
    assertInvalid(await upload.finish(whole, both), 'Invalid x-amz-archive-size: 5');
    assert.equal(archiveIdOf(await upload.finish(whole)), archiveId);
    assert.equal(await archiveCount(upload), 1);
  });

  test('does not bring an archive back that was deleted since', async () => {
    const upload = await uploadOf(whole);
    await deleteArchive(api, upload.vault, await upload.complete(whole));
    const answer = await upload.finish(whole);
    assert.ok([201, 404].includes(answer.status), answer.text);
    assert.equal(await archiveCount(upload), 0);
    assert.deepEqual((await inventoryOf(api, upload.vault)).ArchiveList, []);
  });

  test('at the same time makes one archive', async () => {
    for (let round = 0; round < 4; round += 1) {
      const upload = await uploadOf(whole);
      const answers = await Promise.all([1, 2, 3, 4].map(() => upload.finish(whole)));
      for (const answer of answers) assertCompleted(answer, whole, upload.vault);
      assert.equal(new Set(answers.map(archiveIdOf)).size, 1);
      assert.equal(await archiveCount(upload), 1);
    }
  });
});

describe('completing while something else happens', () => {
  const whole = bytesOf(1.5 * M);

  test('and an abort at the same time: one of them wins, and only one', async () => {
    for (let round = 0; round < 6; round += 1) {
      const upload = await uploadOf(whole);
      const calls = [() => upload.finish(whole), () => upload.abort()];
      if (round % 2 === 1) calls.reverse();
      const statuses = (await Promise.all(calls.map((call) => call()))).map(({ status }) => status);
      if (round % 2 === 1) statuses.reverse();
      const completed = statuses[0] === 201;
      assert.deepEqual(statuses, completed ? [201, 404] : [404, 204]);
      assert.equal(await archiveCount(upload), completed ? 1 : 0);
      assertUnknownUpload(await upload.list(), upload);
    }
  });

  test('and a deletion of the vault at the same time: one of them wins, and only one', async () => {
    for (let round = 0; round < 6; round += 1) {
      const upload = await uploadOf(whole);
      const target = `/-/vaults/${upload.vault}`;
      const deletion = () => api.call('DELETE', target);
      const [completed, deleted] =
        round % 2 === 0
          ? await Promise.all([upload.finish(whole), deletion()])
          : (await Promise.all([deletion(), upload.finish(whole)])).toReversed();
      assert.ok(completed !== undefined && deleted !== undefined);
      if (completed.status === 201) {
        assertInvalid(deleted, /^Vault not empty or recently written to: /);
        const bytes = await retrieve(api, upload.vault, archiveIdOf(completed));
        assert.ok(bytes.equals(whole));
      } else {
        assertError(completed, 404, 'ResourceNotFoundException', /^Vault not found for ARN: /);
        assertEmpty(deleted, 204);
      }
    }
  });

  test('a part that is still on its way comes too late, and changes nothing', async () => {
    const upload = await uploadOf(whole);
    const late = bytesOf(M);
    using connection = new RawConnection(api.url);
    connection.write(headOf(upload.partRequest(0, late, { Expect: '100-continue' })));
    await connection.until(/100 Continue/);
    connection.write(late.subarray(0, M / 2));
    const archiveId = await upload.complete(whole);
    connection.write(late.subarray(M / 2));
    const text = await connection.until(/"type":"Client"\}$/);
    assert.match(text, /HTTP\/1\.1 404 Not Found\r\n/);
    assert.ok((await retrieve(api, upload.vault, archiveId)).equals(whole));
  });

  test('parts that replace others under way never get into the archive by halves', async () => {
    const contents = [bytesOf(1.5 * M), bytesOf(1.5 * M)];
    for (let round = 0; round < 5; round += 1) {
      const upload = await uploadOf(contents[0] ?? Buffer.of());
      const [answers] = await Promise.all([
        Promise.all(contents.map((bytes) => upload.finish(bytes))),
        ...partsOf(contents[1] ?? Buffer.of()).map((part) => upload.send(...part)),
      ]);
      for (const [index, answer] of answers.entries()) {
        const bytes = contents[index] ?? Buffer.of();
        if (answer.status !== 201) continue;
        assert.ok((await retrieve(api, upload.vault, archiveIdOf(answer))).equals(bytes));
      }
      const completed = answers.filter(({ status }) => status === 201);
      assert.ok(completed.length <= 1);
      assert.equal(await archiveCount(upload), completed.length);
    }
  });

  test('uploads side by side in one vault all become archives, and the totals are exact', async () => {
    const name = await createVault(api);
    const archives = Array.from({ length: 8 }, (_, index) => bytesOf(M + 1 + index * 1000));
    const ids = await Promise.all(
      archives.map(async (bytes) => {
        const upload = await Multipart.initiate(api, name);
        await Promise.all(partsOf(bytes).map((part) => upload.put(...part)));
        return await upload.complete(bytes);
      }),
    );
    const { NumberOfArchives, SizeInBytes } = await describeVault(api, name);
    const total = archives.reduce((sum, bytes) => sum + bytes.length, 0);
    assert.deepEqual(
      { NumberOfArchives, SizeInBytes },
      { NumberOfArchives: 8, SizeInBytes: total },
    );
    for (const index of [0, 7]) {
      const bytes = await retrieve(api, name, ids[index] ?? '');
      assert.ok(bytes.equals(archives[index] ?? Buffer.of()));
    }
  });
});
