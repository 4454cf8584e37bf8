import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  askForJob,
  bytesOf,
  completedJob,
  createVault,
  deleteArchive,
  freshName,
  initiateJob,
  jsonOf,
  setRetrievalPolicy,
  upload,
} from '../support/deeds.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import type { Answer } from '../support/http.ts';
import { SimulatedClock, startServer } from '../support/start-server.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { mebibyte } from '../support/tree-hash-reference.ts';

const { api: anywhere, other } = await openTarget();

function assertDenied(answer: Answer): void {
  const message = 'InitiateJob request denied by current data retrieval policy.';
  assertError(answer, 400, 'PolicyEnforcedException', message);
}

/** Asks for a retrieval, of the tier Standard unless something else is said. */
function retrieve(api: Api, vault: string, ArchiveId: string, more: object = {}): Promise<Answer> {
  return askForJob(api, vault, { Type: 'archive-retrieval', ArchiveId, ...more });
}

const limitTo = (api: Api, BytesPerHour: number) =>
  setRetrievalPolicy(api, { Strategy: 'BytesPerHour', BytesPerHour });

/** A region in which nothing was retrieved yet, with an archive. */
async function freshRegion(sizeBytes: number, from: Api = anywhere) {
  const api = from.as({ region: freshName('quiet') });
  const vault = await createVault(api);
  const archiveId = await upload(api, vault, bytesOf(sizeBytes));
  return { api, vault, archiveId, [Symbol.dispose]: () => api[Symbol.dispose]() };
}

describe('under the strategy BytesPerHour', () => {
  const sizes: readonly (readonly [sizeBytes: number, bytesPerHour: number])[] = [
    [1, 1],
    [4, 1],
    [5, 2],
    [8, 2],
    [1001, 251],
  ];

  for (const [sizeBytes, bytesPerHour] of sizes) {
    test(`${sizeBytes} bytes count as ${bytesPerHour} an hour`, async () => {
      using region = await freshRegion(sizeBytes);
      const { api, vault, archiveId } = region;
      if (bytesPerHour > 1) {
        await limitTo(api, bytesPerHour - 1);
        assertDenied(await retrieve(api, vault, archiveId));
      }
      await limitTo(api, bytesPerHour);
      assertEmpty(await retrieve(api, vault, archiveId), 202);
      assertDenied(await retrieve(api, vault, archiveId));
    });
  }

  test('each retrieval is rounded up by itself', async () => {
    using region = await freshRegion(1);
    const { api, vault, archiveId } = region;
    await limitTo(api, 2);
    assertEmpty(await retrieve(api, vault, archiveId), 202);
    assertEmpty(await retrieve(api, vault, archiveId), 202);
    assertDenied(await retrieve(api, vault, archiveId));
  });

  test('a retrieval that is refused is no job, and counts for nothing', async () => {
    using region = await freshRegion(8);
    const { api, vault, archiveId } = region;
    const small = await upload(api, vault, bytesOf(4));
    await limitTo(api, 1);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      assertDenied(await retrieve(api, vault, archiveId));
    }
    const list = await api.call('GET', `/-/vaults/${vault}/jobs`);
    assert.deepEqual(jsonOf<{ JobList: unknown[] }>(list).JobList, []);
    assertEmpty(await retrieve(api, vault, small), 202);
  });

  test('a range counts with its own length', async () => {
    using region = await freshRegion(2 * mebibyte + 3);
    const { api, vault, archiveId } = region;
    await limitTo(api, mebibyte / 4 + 1);
    assertDenied(await retrieve(api, vault, archiveId));
    const two = { RetrievalByteRange: `0-${2 * mebibyte - 1}` };
    assertDenied(await retrieve(api, vault, archiveId, two));
    const one = { RetrievalByteRange: `0-${mebibyte - 1}` };
    assertEmpty(await retrieve(api, vault, archiveId, one), 202);
    const end = { RetrievalByteRange: `${2 * mebibyte}-${2 * mebibyte + 2}` };
    assertEmpty(await retrieve(api, vault, archiveId, end), 202);
    assertDenied(await retrieve(api, vault, archiveId, end));
  });

  test('Standard counts whether it is named or not', async () => {
    using region = await freshRegion(4);
    const { api, vault, archiveId } = region;
    await limitTo(api, 2);
    assertEmpty(await retrieve(api, vault, archiveId), 202);
    assertEmpty(await retrieve(api, vault, archiveId, { Tier: 'Standard' }), 202);
    assertDenied(await retrieve(api, vault, archiveId, { Tier: 'Standard' }));
    assertDenied(await retrieve(api, vault, archiveId, { Tier: null }));
  });

  test('Bulk, Expedited and inventories neither count nor are refused', async () => {
    using region = await freshRegion(1000);
    const { api, vault, archiveId } = region;
    const small = await upload(api, vault, bytesOf(4));
    await limitTo(api, 1);
    assertEmpty(await retrieve(api, vault, archiveId, { Tier: 'Bulk' }), 202);
    assertEmpty(await retrieve(api, vault, archiveId, { Tier: 'Expedited' }), 202);
    assertEmpty(await askForJob(api, vault, { Type: 'inventory-retrieval' }), 202);
    assertEmpty(await retrieve(api, vault, small), 202);
    assertDenied(await retrieve(api, vault, small));
    assertEmpty(await retrieve(api, vault, archiveId, { Tier: 'Bulk' }), 202);
    assertEmpty(await askForJob(api, vault, { Type: 'inventory-retrieval' }), 202);
  });

  test('a retrieval that is completed still counts', async () => {
    using region = await freshRegion(4);
    const { api, vault, archiveId } = region;
    await limitTo(api, 1);
    const jobId = await initiateJob(api, vault, {
      Type: 'archive-retrieval',
      ArchiveId: archiveId,
    });
    if (onlyOwnServer === false) await completedJob(api, vault, jobId);
    assertDenied(await retrieve(api, vault, archiveId));
  });

  test('all vaults of the region count together', async () => {
    using region = await freshRegion(4);
    const { api, vault, archiveId } = region;
    const another = await createVault(api);
    const there = await upload(api, another, bytesOf(4));
    await limitTo(api, 1);
    assertEmpty(await retrieve(api, another, there), 202);
    assertDenied(await retrieve(api, vault, archiveId));
  });

  test('what other regions retrieve does not count', async () => {
    using one = await freshRegion(4);
    using another = await freshRegion(4);
    for (const { api, vault, archiveId } of [one, another]) {
      await limitTo(api, 1);
      assertEmpty(await retrieve(api, vault, archiveId), 202);
    }
  });

  test('what other accounts retrieve does not count', {
    skip: other === undefined && 'there is no second account on this server',
  }, async () => {
    assert.ok(other !== undefined);
    using region = await freshRegion(4);
    const { api, vault, archiveId } = region;
    using stranger = api.as({ credentials: other.credentials });
    const theirs = await createVault(stranger);
    const archive = await upload(stranger, theirs, bytesOf(4));
    await limitTo(api, 1);
    for (let index = 0; index < 3; index += 1) {
      assertEmpty(await retrieve(stranger, theirs, archive), 202);
    }
    assertEmpty(await retrieve(api, vault, archiveId), 202);
  });

  test('what was retrieved before the policy was set counts, and stays', async () => {
    using region = await freshRegion(4);
    const { api, vault, archiveId } = region;
    const parameters = { Type: 'archive-retrieval', ArchiveId: archiveId };
    const jobId = await initiateJob(api, vault, parameters);
    await initiateJob(api, vault, parameters);
    await limitTo(api, 2);
    assertDenied(await retrieve(api, vault, archiveId));
    assert.equal((await api.call('GET', `/-/vaults/${vault}/jobs/${jobId}`)).status, 200);
    await limitTo(api, 3);
    assertEmpty(await retrieve(api, vault, archiveId), 202);
  });

  test('a policy without a limit lets everything through at once', async () => {
    using region = await freshRegion(100);
    const { api, vault, archiveId } = region;
    await limitTo(api, 1);
    assertDenied(await retrieve(api, vault, archiveId));
    await setRetrievalPolicy(api, { Strategy: 'None' });
    assertEmpty(await retrieve(api, vault, archiveId), 202);
  });

  test('the largest limit there is lets everything through', async () => {
    using region = await freshRegion(100);
    const { api, vault, archiveId } = region;
    const rule = '{"Strategy":"BytesPerHour","BytesPerHour":9223372036854775807}';
    const body = `{"Policy":{"Rules":[${rule}]}}`;
    assertEmpty(await api.call('PUT', '/-/policies/data-retrieval', { body }), 204);
    assertEmpty(await retrieve(api, vault, archiveId), 202);
    assertEmpty(await retrieve(api, vault, archiveId), 202);
  });

  test('parameters and the archive are judged before the policy', async () => {
    using region = await freshRegion(100);
    const { api, vault, archiveId } = region;
    await limitTo(api, 1);
    const wrong = await retrieve(api, vault, archiveId, { RetrievalByteRange: '0-1' });
    assertError(wrong, 400, 'InvalidParameterValueException', /range/);
    const unknown = await retrieve(api, vault, 'no-such-archive');
    const message = 'The archive ID was not found: no-such-archive';
    assertError(unknown, 404, 'ResourceNotFoundException', message);
  });

  test('many retrievals at once never exceed the limit', async () => {
    using region = await freshRegion(4);
    const { api, vault, archiveId } = region;
    await limitTo(api, 3);
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => retrieve(api, vault, archiveId)),
    );
    const refused = answers.filter(({ status }) => status !== 202);
    for (const answer of refused) assertDenied(answer);
    assert.equal(refused.length, 9);
  });

  test('a vault that is deleted gives nothing back', { skip: onlyOwnServer }, async () => {
    using region = await freshRegion(4);
    const { api, vault, archiveId } = region;
    const another = await createVault(api);
    const there = await upload(api, another, bytesOf(4));
    await limitTo(api, 1);
    assertEmpty(await retrieve(api, vault, archiveId), 202);
    await deleteArchive(api, vault, archiveId);
    assertEmpty(await api.call('DELETE', `/-/vaults/${vault}`), 204);
    assertDenied(await retrieve(api, another, there));
  });
});

describe('data retrieval policies in the course of time', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const hour = 3_600_000;

  const windows: readonly (readonly [delay: string, hours: number])[] = [
    ['0s', 4],
    ['90m', 4],
    ['4h', 4],
    ['6h', 6],
  ];

  for (const [delay, hours] of windows) {
    test(`a retrieval that takes ${delay} counts for ${hours} hours to the millisecond`, async () => {
      const clock = new SimulatedClock();
      const server = await startServer({ clock, env: { FIRN_STANDARD_DELAY: delay } });
      await using _ = server;
      const { url, account } = server;
      using caller = new Api({ url, credentials: account.credentials, now: () => clock.now() });
      using region = await freshRegion(4, caller);
      const { api, vault, archiveId } = region;
      await limitTo(api, 2);
      const parameters = { Type: 'archive-retrieval', ArchiveId: archiveId };
      const first = await initiateJob(api, vault, parameters);
      clock.advance(hour);
      const second = await initiateJob(api, vault, parameters);
      clock.advance((hours - 1) * hour - 1);
      assertDenied(await retrieve(api, vault, archiveId));
      clock.advance(1);
      // What is due and not yet done is in progress, and counts.
      await completedJob(api, vault, first, clock);
      assertEmpty(await retrieve(api, vault, archiveId), 202);
      assertDenied(await retrieve(api, vault, archiveId));
      clock.advance(hour - 1);
      assertDenied(await retrieve(api, vault, archiveId));
      clock.advance(1);
      await completedJob(api, vault, second, clock);
      assertEmpty(await retrieve(api, vault, archiveId), 202);
      assertDenied(await retrieve(api, vault, archiveId));
    });
  }

  test('what counts still counts after a restart', async () => {
    const clock = new SimulatedClock();
    using directory = new TemporaryDirectory();
    const env = { FIRN_DATA_DIR: directory.path };
    const found = { region: '', vault: '', archiveId: '' };
    {
      const first = await startServer({ clock, env });
      await using _ = first;
      const { credentials } = first.account;
      using caller = new Api({ url: first.url, credentials, now: () => clock.now() });
      using region = await freshRegion(4, caller);
      const { api, vault, archiveId } = region;
      await limitTo(api, 1);
      const parameters = { Type: 'archive-retrieval', ArchiveId: archiveId };
      const jobId = await initiateJob(api, vault, parameters);
      await completedJob(api, vault, jobId, clock);
      Object.assign(found, { region: api.region, vault, archiveId });
    }
    clock.advance(4 * hour - 1);
    const second = await startServer({ clock, env });
    await using _ = second;
    const { credentials } = second.account;
    const { region, vault, archiveId } = found;
    using api = new Api({ url: second.url, credentials, region, now: () => clock.now() });
    assertDenied(await retrieve(api, vault, archiveId));
    clock.advance(1);
    assertEmpty(await retrieve(api, vault, archiveId), 202);
  });
});

describe('under the strategy FreeTier', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const hour = 3_600_000;
  const day = 24 * hour;

  // Retrievals begin and never end: what they would read takes its time.
  const clock = new SimulatedClock(Date.UTC(2026, 0, 10, 12));
  const server = await startServer({ clock, env: { FIRN_STANDARD_DELAY: '9000h' } });
  after(() => server[Symbol.asyncDispose]());
  const { url, account } = server;
  const caller = new Api({ url, credentials: account.credentials, now: () => clock.now() });
  after(() => caller[Symbol.dispose]());

  const blockBytes = 16 * mebibyte;
  const store = createVault(caller, 'store');

  /** Retrieves that many bytes, in as few retrievals as it takes. */
  async function spend(sizeBytes: number): Promise<void> {
    const vault = await store;
    const wholeMebibytes = Math.floor(sizeBytes / mebibyte);
    const block = await upload(caller, vault, bytesOf(blockBytes));
    for (let left = wholeMebibytes; left > 0; left -= 16) {
      const RetrievalByteRange = `0-${Math.min(left, 16) * mebibyte - 1}`;
      assertEmpty(await retrieve(caller, vault, block, { RetrievalByteRange }), 202);
    }
    const rest = sizeBytes % mebibyte;
    if (rest > 0) await initiateRetrieval(rest);
  }

  async function initiateRetrieval(sizeBytes: number): Promise<void> {
    const vault = await store;
    const archiveId = await upload(caller, vault, bytesOf(sizeBytes));
    assertEmpty(await retrieve(caller, vault, archiveId), 202);
  }

  const months: readonly (readonly [date: string, dailyBytes: number])[] = [
    ['2026-01-31', 346_368_330],
    ['2026-02-28', 383_479_222],
    ['2026-04-01', 357_913_941],
    ['2028-02-29', 370_255_801],
  ];

  const until = (date: string) => clock.advance(Date.parse(date) - clock.now());

  for (const [date, dailyBytes] of months) {
    test(`${date} has room for ${dailyBytes} bytes, and not for one more`, async () => {
      until(`${date}T00:00:00Z`);
      const vault = await store;
      const byte = await upload(caller, vault, bytesOf(1));
      await setRetrievalPolicy(caller, { Strategy: 'FreeTier' });
      await spend(dailyBytes);
      assertDenied(await retrieve(caller, vault, byte));
      assertEmpty(await retrieve(caller, vault, byte, { Tier: 'Bulk' }), 202);
      assertEmpty(await retrieve(caller, vault, byte, { Tier: 'Expedited' }), 202);
      assertEmpty(await askForJob(caller, vault, { Type: 'inventory-retrieval' }), 202);
      clock.advance(day - 1);
      assertDenied(await retrieve(caller, vault, byte));
      clock.advance(1);
      assertEmpty(await retrieve(caller, vault, byte), 202);
    });
  }

  test('what was retrieved that day under another policy counts', async () => {
    until('2028-03-10T06:00:00Z');
    const vault = await store;
    const byte = await upload(caller, vault, bytesOf(1));
    await setRetrievalPolicy(caller, { Strategy: 'None' });
    await spend(346_368_330 + 5);
    await setRetrievalPolicy(caller, { Strategy: 'FreeTier' });
    assertDenied(await retrieve(caller, vault, byte));
    await setRetrievalPolicy(caller, { Strategy: 'None' });
    assertEmpty(await retrieve(caller, vault, byte), 202);
  });

  test('what was retrieved the day before does not count', async () => {
    until('2028-05-10T23:59:59.999Z');
    const vault = await store;
    const byte = await upload(caller, vault, bytesOf(1));
    await setRetrievalPolicy(caller, { Strategy: 'FreeTier' });
    await spend(346_368_330);
    assertDenied(await retrieve(caller, vault, byte));
    clock.advance(1);
    await spend(346_368_330);
    assertDenied(await retrieve(caller, vault, byte));
  });

  test('each region has an allowance of its own', async () => {
    until('2028-07-10T00:00:00Z');
    await setRetrievalPolicy(caller, { Strategy: 'FreeTier' });
    await spend(346_368_330);
    using region = await freshRegion(10, caller);
    const { api, vault, archiveId } = region;
    await setRetrievalPolicy(api, { Strategy: 'FreeTier' });
    assertEmpty(await retrieve(api, vault, archiveId), 202);
  });
});
