import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  askForJob,
  bytesOf,
  createVault,
  deleteArchive,
  freshName,
  jsonOf,
  purchaseCapacity,
  setRetrievalPolicy,
  upload,
} from '../support/deeds.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import type { Answer } from '../support/http.ts';
import { type Account, SimulatedClock, startServer } from '../support/start-server.ts';
import { onlyOwnServer } from '../support/target.ts';

const minute = 60_000;
const window = 5 * minute;

function assertRefused(answer: Answer): void {
  const message =
    'There is insufficient capacity to process this expedited request. Please try again later.';
  assertError(answer, 400, 'InsufficientCapacityException', message);
}

/** An account in a region, with an archive that it retrieves. */
class Caller {
  readonly api: Api;
  readonly vault: string;
  readonly #archiveId: string;

  private constructor(api: Api, vault: string, archiveId: string) {
    this.api = api;
    this.vault = vault;
    this.#archiveId = archiveId;
  }

  static async open(api: Api): Promise<Caller> {
    const vault = await createVault(api);
    return new Caller(api, vault, await upload(api, vault, bytesOf(10)));
  }

  retrieve(Tier?: string): Promise<Answer> {
    const parameters = { Type: 'archive-retrieval', ArchiveId: this.#archiveId, Tier };
    return askForJob(this.api, this.vault, parameters);
  }

  async accepted(count: number): Promise<void> {
    for (let each = 0; each < count; each += 1) assertEmpty(await this.retrieve('Expedited'), 202);
  }

  async refused(): Promise<void> {
    assertRefused(await this.retrieve('Expedited'));
  }

  /** Exactly that many are accepted, and not one more. */
  async acceptedAtMost(count: number): Promise<void> {
    await this.accepted(count);
    await this.refused();
  }

  async deleteVault(): Promise<void> {
    await deleteArchive(this.api, this.vault, this.#archiveId);
    assertEmpty(await this.api.call('DELETE', `/-/vaults/${this.vault}`), 204);
  }
}

interface Scene extends AsyncDisposable {
  readonly clock: SimulatedClock;
  readonly caller: Caller;
  /** The same account, or another one, somewhere on the same server. */
  open(changes?: { readonly region?: string; readonly account?: Account }): Promise<Caller>;
  createAccount(): Promise<Account>;
}

/** A server with these settings whose time stands still. */
async function scene(env: Readonly<Record<string, string>>): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const clock = new SimulatedClock();
  const server = stack.use(await startServer({ clock, env }));
  const { credentials } = server.account;
  const api = stack.use(new Api({ url: server.url, credentials, now: () => clock.now() }));
  const caller = await Caller.open(api);
  const stopping = stack.move();
  return {
    clock,
    caller,
    open: ({ region = api.region, account = server.account } = {}) =>
      Caller.open(stopping.use(api.as({ region, credentials: account.credentials }))),
    createAccount: () => server.createAccount(),
    [Symbol.asyncDispose]: () => stopping.disposeAsync(),
  };
}

const amazon = { FIRN_TIMING: 'aws' };
const only = (count: number) => ({ FIRN_EXPEDITED_ON_DEMAND: String(count) });

describe('Expedited retrievals on demand', { skip: onlyOwnServer }, () => {
  test('are accepted without end under the timing immediate', async () => {
    await using opened = await scene({});
    await opened.caller.accepted(20);
  });

  test("are three within five minutes under Amazon's timing", async () => {
    await using opened = await scene(amazon);
    await opened.caller.acceptedAtMost(3);
  });

  test("are accepted without end under Amazon's timing when that is set", async () => {
    await using opened = await scene({ ...amazon, FIRN_EXPEDITED_ON_DEMAND: 'accept' });
    await opened.caller.accepted(20);
  });

  for (const count of [1, 2, 5]) {
    test(`are ${count} within five minutes when that is set`, async () => {
      await using opened = await scene(only(count));
      await opened.caller.acceptedAtMost(count);
    });
  }

  test('are none at all when that is set', async () => {
    await using opened = await scene(only(0));
    const { clock, caller } = opened;
    await caller.refused();
    clock.advance(window);
    await caller.refused();
  });

  test('are possible again five minutes after each one, to the millisecond', async () => {
    await using opened = await scene(only(2));
    const { clock, caller } = opened;
    await caller.accepted(1);
    clock.advance(2 * minute);
    await caller.acceptedAtMost(1);
    clock.advance(3 * minute - 1);
    await caller.refused();
    clock.advance(1);
    await caller.acceptedAtMost(1);
    clock.advance(2 * minute - 1);
    await caller.refused();
    clock.advance(1);
    await caller.acceptedAtMost(1);
  });

  test('that are refused are no jobs, and count for nothing', async () => {
    await using opened = await scene(only(1));
    const { clock, caller } = opened;
    await caller.accepted(1);
    clock.advance(4 * minute);
    await caller.refused();
    await caller.refused();
    const list = await caller.api.call('GET', `/-/vaults/${caller.vault}/jobs`);
    assert.equal(jsonOf<{ JobList: unknown[] }>(list).JobList.length, 1);
    clock.advance(minute);
    await caller.acceptedAtMost(1);
  });

  test('are counted over all vaults of an account in a region', async () => {
    await using opened = await scene(only(2));
    const another = await opened.open();
    await opened.caller.accepted(1);
    await another.acceptedAtMost(1);
    await opened.caller.refused();
  });

  test('are counted for each region and each account by itself', async () => {
    await using opened = await scene(only(1));
    await opened.caller.acceptedAtMost(1);
    const elsewhere = await opened.open({ region: freshName('far') });
    await elsewhere.acceptedAtMost(1);
    const stranger = await opened.open({ account: await opened.createAccount() });
    await stranger.acceptedAtMost(1);
  });

  test('are not given back by deleting the vault', async () => {
    await using opened = await scene(only(1));
    const another = await opened.open();
    await another.accepted(1);
    await another.deleteVault();
    await opened.caller.refused();
  });

  test('never become more by asking at the same time', async () => {
    await using opened = await scene(only(3));
    const { caller } = opened;
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => caller.retrieve('Expedited')),
    );
    const refused = answers.filter(({ status }) => status !== 202);
    for (const answer of refused) assertRefused(answer);
    assert.equal(refused.length, 9);
  });

  test('do not touch the tiers Standard and Bulk, nor inventories', async () => {
    await using opened = await scene(only(1));
    const { caller } = opened;
    for (let each = 0; each < 4; each += 1) {
      assertEmpty(await caller.retrieve(), 202);
      assertEmpty(await caller.retrieve('Standard'), 202);
      assertEmpty(await caller.retrieve('Bulk'), 202);
      assertEmpty(await askForJob(caller.api, caller.vault, { Type: 'inventory-retrieval' }), 202);
    }
    await caller.acceptedAtMost(1);
    assertEmpty(await caller.retrieve('Bulk'), 202);
  });

  test('are judged after their parameters and their archive', async () => {
    await using opened = await scene(only(0));
    const { api, vault } = opened.caller;
    const parameters = { Type: 'archive-retrieval', Tier: 'Expedited', ArchiveId: 'unknown' };
    const message = 'The archive ID was not found: unknown';
    const unknown = await askForJob(api, vault, parameters);
    assertError(unknown, 404, 'ResourceNotFoundException', message);
    const wrong = await askForJob(api, vault, { ...parameters, Description: 'é' });
    assertError(wrong, 400, 'InvalidParameterValueException', 'The job description is not valid');
  });

  test('are not subject to the data retrieval policy', async () => {
    await using opened = await scene(only(1));
    const { caller } = opened;
    await setRetrievalPolicy(caller.api, { Strategy: 'BytesPerHour', BytesPerHour: 1 });
    await caller.acceptedAtMost(1);
  });
});

describe('Expedited retrievals with provisioned capacity', { skip: onlyOwnServer }, () => {
  test('are three for each unit, and none without one when none are on demand', async () => {
    await using opened = await scene(only(0));
    const { caller } = opened;
    await caller.refused();
    await purchaseCapacity(caller.api);
    await caller.acceptedAtMost(3);
    await purchaseCapacity(caller.api);
    await caller.acceptedAtMost(3);
  });

  test('have those on demand beside them', async () => {
    await using opened = await scene(only(2));
    const { caller } = opened;
    await purchaseCapacity(caller.api);
    await purchaseCapacity(caller.api);
    await caller.acceptedAtMost(6 + 2);
  });

  test("have three on demand beside them under Amazon's timing", async () => {
    await using opened = await scene(amazon);
    const { caller } = opened;
    await purchaseCapacity(caller.api);
    await caller.acceptedAtMost(3 + 3);
  });

  test('are possible again five minutes after each one, to the millisecond', async () => {
    await using opened = await scene(only(0));
    const { clock, caller } = opened;
    await purchaseCapacity(caller.api);
    await caller.accepted(1);
    clock.advance(minute);
    await caller.acceptedAtMost(2);
    clock.advance(4 * minute - 1);
    await caller.refused();
    clock.advance(1);
    await caller.acceptedAtMost(1);
    clock.advance(minute);
    await caller.acceptedAtMost(2);
  });

  test('end with the unit', async () => {
    await using opened = await scene(only(0));
    const { clock, caller } = opened;
    await purchaseCapacity(caller.api);
    clock.advance(31 * 24 * 60 * minute - 1);
    await caller.accepted(1);
    clock.advance(1);
    await caller.refused();
    await purchaseCapacity(caller.api);
    clock.advance(window);
    await caller.acceptedAtMost(3);
  });

  test('have none of what another region or another account bought', async () => {
    await using opened = await scene(only(0));
    await purchaseCapacity(opened.caller.api);
    await (await opened.open({ region: freshName('far') })).refused();
    await (await opened.open({ account: await opened.createAccount() })).refused();
    await opened.caller.acceptedAtMost(3);
  });

  test('never become more by asking at the same time', async () => {
    await using opened = await scene(only(1));
    const { caller } = opened;
    await purchaseCapacity(caller.api);
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => caller.retrieve('Expedited')),
    );
    const refused = answers.filter(({ status }) => status !== 202);
    for (const answer of refused) assertRefused(answer);
    assert.equal(refused.length, 8);
  });
});
