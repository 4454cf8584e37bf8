import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Api } from '../support/api.ts';
import { freshName, send } from '../support/deeds.ts';
import { assertDocument, assertEmpty, assertError, notObjects } from '../support/expectations.ts';
import { openTarget } from '../support/target.ts';

const { api, account, other } = await openTarget();

const target = '/-/policies/data-retrieval';
const set = (document: unknown, caller: Api = api) => send(caller, 'PUT', target, document);
const setRule = (rule: unknown, caller?: Api) => set({ Policy: { Rules: [rule] } }, caller);
const get = (caller: Api = api) => caller.call('GET', target);

const none = { Policy: { Rules: [{ Strategy: 'None' }] } };

/** The account in a region in which no policy was set. */
const elsewhere = () => api.as({ region: freshName('fresh') });

describe('the data retrieval policy', () => {
  test('is no limit when none was ever set', async () => {
    using there = elsewhere();
    assertDocument(await get(there), none);
  });

  for (const Strategy of ['None', 'FreeTier']) {
    test(`may have the strategy ${Strategy}`, async () => {
      assertEmpty(await setRule({ Strategy }), 204);
      assertDocument(await get(), { Policy: { Rules: [{ Strategy }] } });
    });
  }

  test('may have the strategy BytesPerHour and a number', async () => {
    assertEmpty(await setRule({ Strategy: 'BytesPerHour', BytesPerHour: 10_737_418_240 }), 204);
    assertDocument(await get(), {
      Policy: { Rules: [{ BytesPerHour: 10_737_418_240, Strategy: 'BytesPerHour' }] },
    });
  });

  test('is replaced as a whole, and setting it again changes nothing', async () => {
    assertEmpty(await setRule({ Strategy: 'BytesPerHour', BytesPerHour: 5 }), 204);
    assertEmpty(await setRule({ Strategy: 'FreeTier' }), 204);
    assertEmpty(await setRule({ Strategy: 'FreeTier' }), 204);
    assertDocument(await get(), { Policy: { Rules: [{ Strategy: 'FreeTier' }] } });
    assertEmpty(await set(none), 204);
    assertDocument(await get(), none);
  });

  test('takes a null for a number that is not there', async () => {
    assertEmpty(await setRule({ Strategy: 'FreeTier', BytesPerHour: null }), 204);
    assertDocument(await get(), { Policy: { Rules: [{ Strategy: 'FreeTier' }] } });
  });

  test('ignores members that nobody knows, and the type of the body', async () => {
    const policy = {
      Unknown: 1,
      Policy: { Unknown: 2, Rules: [{ Unknown: 3, Strategy: 'None' }] },
    };
    const headers = [['Content-Type', 'text/plain']] as const;
    const body = JSON.stringify(policy, null, 2);
    assertEmpty(await api.call('PUT', target, { body, headers }), 204);
    assertDocument(await get(), none);
  });
});

describe('BytesPerHour', () => {
  // Written out: a number in JavaScript holds no more than 53 bits of it.
  const good = ['1', '2', '9007199254740991', '9007199254740993', '9223372036854775807'];

  for (const number of good) {
    test(`may be ${number}, and is shown to the last digit`, async () => {
      const rule = `{"BytesPerHour":${number},"Strategy":"BytesPerHour"}`;
      const body = `{"Policy":{"Rules":[${rule}]}}`;
      assertEmpty(await set(body), 204);
      const answer = await get();
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.text, body);
    });
  }

  const bad = [
    '0',
    '-1',
    '1.5',
    '9223372036854775808',
    '18446744073709551617',
    '-9223372036854775808',
    '99999999999999999999999999999999',
  ];

  for (const number of bad) {
    test(`may not be ${number}`, async () => {
      using there = elsewhere();
      const rule = `{"Strategy":"BytesPerHour","BytesPerHour":${number}}`;
      const answer = await set(`{"Policy":{"Rules":[${rule}]}}`, there);
      const message = `Invalid BytesPerHour: ${number}`;
      assertError(answer, 400, 'InvalidParameterValueException', message);
      assertDocument(await get(there), none);
    });
  }

  for (const Strategy of ['None', 'FreeTier']) {
    test(`beside the strategy ${Strategy} answers 400`, async () => {
      const answer = await setRule({ Strategy, BytesPerHour: 10 });
      const message = 'BytesPerHour is only valid with the BytesPerHour strategy';
      assertError(answer, 400, 'InvalidParameterValueException', message);
    });
  }

  for (const rule of [
    { Strategy: 'BytesPerHour' },
    { Strategy: 'BytesPerHour', BytesPerHour: null },
  ]) {
    test(`is needed for the strategy of its name: ${JSON.stringify(rule)}`, async () => {
      const message = 'Required parameter missing: BytesPerHour';
      assertError(await setRule(rule), 400, 'MissingParameterValueException', message);
    });
  }
});

describe('setting a data retrieval policy', () => {
  const lacking: readonly (readonly [document: unknown, member: string])[] = [
    ['', 'Policy'],
    [{}, 'Policy'],
    [{ Policy: null }, 'Policy'],
    [{ Rules: [{ Strategy: 'None' }] }, 'Policy'],
    [{ Policy: {} }, 'Rules'],
    [{ Policy: { Rules: null } }, 'Rules'],
    [{ Policy: { Rules: [{}] } }, 'Strategy'],
    [{ Policy: { Rules: [{ Strategy: null }] } }, 'Strategy'],
    [{ Policy: { Rules: [{ BytesPerHour: 10 }] } }, 'Strategy'],
  ];

  for (const [document, member] of lacking) {
    test(`without ${member} answers 400: ${JSON.stringify(document)}`, async () => {
      const message = `Required parameter missing: ${member}`;
      assertError(await set(document), 400, 'MissingParameterValueException', message);
    });
  }

  test('without a body answers 400', async () => {
    const answer = await api.call('PUT', target);
    const message = 'Required parameter missing: Policy';
    assertError(answer, 400, 'MissingParameterValueException', message);
  });

  for (const Rules of [[], [{ Strategy: 'None' }, { Strategy: 'FreeTier' }]]) {
    test(`with ${Rules.length} rules answers 400`, async () => {
      const answer = await set({ Policy: { Rules } });
      const message = 'The data retrieval policy must contain exactly one rule';
      assertError(answer, 400, 'InvalidParameterValueException', message);
    });
  }

  for (const Strategy of ['bytesperhour', 'none', 'FREETIER', 'Unlimited', '']) {
    test(`with the strategy "${Strategy}" answers 400`, async () => {
      const answer = await setRule({ Strategy });
      const message = `Invalid strategy: ${Strategy}`;
      assertError(answer, 400, 'InvalidParameterValueException', message);
    });
  }

  const wrongTypes: readonly unknown[] = [
    { Policy: '{"Rules":[{"Strategy":"None"}]}' },
    { Policy: [] },
    { Policy: { Rules: {} } },
    { Policy: { Rules: 'None' } },
    { Policy: { Rules: ['None'] } },
    { Policy: { Rules: [1] } },
    { Policy: { Rules: [{ Strategy: 1 }] } },
    { Policy: { Rules: [{ Strategy: ['None'] }] } },
    { Policy: { Rules: [{ Strategy: 'BytesPerHour', BytesPerHour: {} }] } },
    { Policy: { Rules: [{ Strategy: 'BytesPerHour', BytesPerHour: true }] } },
  ];

  for (const document of wrongTypes) {
    test(`with a member of the wrong JSON type answers 400: ${JSON.stringify(document)}`, async () => {
      assertError(await set(document), 400, 'SerializationException', /./);
    });
  }

  for (const body of notObjects) {
    test(`with a body that is no JSON object answers 400: ${body}`, async () => {
      assertError(await set(body), 400, 'SerializationException', /./);
    });
  }

  test('in vain leaves the one that was there', async () => {
    using there = elsewhere();
    assertEmpty(await setRule({ Strategy: 'FreeTier' }, there), 204);
    assert.equal((await setRule({ Strategy: 'Unlimited' }, there)).status, 400);
    assertDocument(await get(there), { Policy: { Rules: [{ Strategy: 'FreeTier' }] } });
  });
});

describe('a data retrieval policy belongs to one account in one region', () => {
  test('and not to another region', async () => {
    using one = elsewhere();
    using another = elsewhere();
    assertEmpty(await setRule({ Strategy: 'BytesPerHour', BytesPerHour: 1 }, one), 204);
    assertDocument(await get(another), none);
  });

  test('and not to another account, which can not reach it', {
    skip: other === undefined && 'there is no second account on this server',
  }, async () => {
    assert.ok(other !== undefined);
    using there = elsewhere();
    using stranger = there.as({ credentials: other.credentials });
    assertEmpty(await setRule({ Strategy: 'FreeTier' }, there), 204);
    assertDocument(await get(stranger), none);
    const theirs = target.replace('-', account.accountId);
    const message = `Access denied for account ID: ${account.accountId}`;
    const read = await stranger.call('GET', theirs);
    assertError(read, 403, 'AccessDeniedException', message);
    const written = await send(stranger, 'PUT', theirs, none);
    assertError(written, 403, 'AccessDeniedException', message);
    assertDocument(await get(there), { Policy: { Rules: [{ Strategy: 'FreeTier' }] } });
  });

  test("and may be asked for by the caller's own number", async () => {
    using there = elsewhere();
    const own = target.replace('-', account.accountId);
    assertEmpty(await send(there, 'PUT', own, none), 204);
    assertDocument(await there.call('GET', own), none);
  });
});
