import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { askForLock, createVault, freshName, initiateLock, send } from '../support/deeds.ts';
import {
  assertEmpty,
  assertError,
  assertMembers,
  notObjects,
  timestampPattern,
} from '../support/expectations.ts';
import {
  badPolicies,
  goodPolicies,
  policyCalled,
  policyOfSize,
  policyText,
} from '../support/policies.ts';
import { openTarget } from '../support/target.ts';

const { api, account, other } = await openTarget();
const shared = await createVault(api);

const arnOf = (vault: string) =>
  `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${vault}`;

const day = 24 * 3_600_000;
const invalid =
  /^The specified vault lock policy is invalid\. Provide a valid policy\.(?: Reason: .+)?$/s;

const targetOf = (vault: string) => `/-/vaults/${vault}/lock-policy`;
const initiate = (vault: string, policy = policyText(arnOf(vault))) =>
  askForLock(api, vault, policy);
const get = (vault: string) => api.call('GET', targetOf(vault));
const abort = (vault: string) => api.call('DELETE', targetOf(vault));
const complete = (vault: string, lockId: string) =>
  api.call('POST', `${targetOf(vault)}/${lockId}`);

/** A vault whose lock is in progress. */
async function vaultInProgress(): Promise<{ vault: string; lockId: string }> {
  const vault = await createVault(api);
  return { vault, lockId: await initiateLock(api, vault, policyText(arnOf(vault))) };
}

async function lockedVault(): Promise<{ vault: string; lockId: string }> {
  const { vault, lockId } = await vaultInProgress();
  assertEmpty(await complete(vault, lockId), 204);
  return { vault, lockId };
}

async function stateOf(vault: string): Promise<string | undefined> {
  const answer = await get(vault);
  return answer.status === 404 ? undefined : JSON.parse(answer.text).State;
}

async function assertNoLock(vault: string): Promise<void> {
  const message = `No vault lock policy is set for: ${vault}`;
  assertError(await get(vault), 404, 'ResourceNotFoundException', message);
}

describe('starting a lock', () => {
  test('answers 201 with an id of 24 characters, and no location', async () => {
    const vault = await createVault(api);
    const answer = await initiate(vault);
    assertEmpty(answer, 201);
    assert.match(answer.headers.get('x-amz-lock-id') ?? '', /^[A-Za-z0-9][A-Za-z0-9_-]{23}$/);
    assert.equal(answer.headers.get('location'), undefined);
  });

  test('puts the lock in progress for 24 hours', async () => {
    const { vault } = await vaultInProgress();
    const answer = await get(vault);
    const { CreationDate, ExpirationDate } = JSON.parse(answer.text);
    const Policy = policyText(arnOf(vault));
    assertMembers(answer, { Policy, State: 'InProgress', ExpirationDate, CreationDate });
    assert.match(CreationDate, timestampPattern);
    assert.match(ExpirationDate, timestampPattern);
    assert.equal(Date.parse(ExpirationDate) - Date.parse(CreationDate), day);
    assert.ok(Math.abs(Date.parse(CreationDate) - Date.now()) < 60_000, CreationDate);
  });

  test('while one is in progress answers 403 and changes nothing', async () => {
    const { vault, lockId } = await vaultInProgress();
    const before = (await get(vault)).text;
    const answer = await initiate(vault, policyText(arnOf(vault), { Sid: 'another' }));
    const message = `A vault lock is already in progress for: ${vault}`;
    assertError(answer, 403, 'AccessDeniedException', message);
    assert.equal((await get(vault)).text, before);
    assertEmpty(await complete(vault, lockId), 204);
  });

  test('of a locked vault answers 403 and changes nothing', async () => {
    const { vault } = await lockedVault();
    const before = (await get(vault)).text;
    const answer = await initiate(vault, policyText(arnOf(vault), { Sid: 'another' }));
    const message = `The vault lock policy is locked for: ${vault}`;
    assertError(answer, 403, 'AccessDeniedException', message);
    assert.equal((await get(vault)).text, before);
  });

  test('while one is in progress judges the state before the policy', async () => {
    const { vault } = await vaultInProgress();
    const message = `A vault lock is already in progress for: ${vault}`;
    assertError(await initiate(vault, 'no policy'), 403, 'AccessDeniedException', message);
  });

  test('of a locked vault judges the state before the policy', async () => {
    const { vault } = await lockedVault();
    const message = `The vault lock policy is locked for: ${vault}`;
    assertError(await initiate(vault, 'no policy'), 403, 'AccessDeniedException', message);
  });

  test('with PUT is no operation', async () => {
    const answer = await send(api, 'PUT', targetOf(shared), { Policy: policyText(arnOf(shared)) });
    assertError(answer, 400, 'BadRequest', 'Bad request');
  });

  test('keeps white space, order and escapes of the policy as they were written', async () => {
    const vault = await createVault(api);
    const document: unknown = JSON.parse(policyText(arnOf(vault), {}, { Id: 'é \u{1d4b3} "\\' }));
    const text = `\n${JSON.stringify(document, null, 3)} \t\r\n`.replace('Deny', '\\u0044eny');
    await initiateLock(api, vault, text);
    assert.equal(JSON.parse((await get(vault)).text).Policy, text);
  });

  test('takes 20,480 bytes of policy, and no more', async () => {
    const vault = await createVault(api);
    const refused = await initiate(vault, policyOfSize(arnOf(vault), 20_481));
    assertError(refused, 400, 'InvalidParameterValueException', invalid);
    await assertNoLock(vault);
    await initiateLock(api, vault, policyOfSize(arnOf(vault), 20_480));
  });

  test('twice at once gives one lock, and 403 to the other', async () => {
    for (let round = 0; round < 5; round += 1) {
      const vault = await createVault(api);
      const answers = await Promise.all([initiate(vault), initiate(vault)]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 403]);
      const won = answers.find(({ status }) => status === 201);
      assertEmpty(await complete(vault, won?.headers.get('x-amz-lock-id') ?? ''), 204);
    }
  });
});

describe('completing a lock', () => {
  test('answers 204 and locks the vault for good', async () => {
    const { vault, lockId } = await vaultInProgress();
    const { CreationDate } = JSON.parse((await get(vault)).text);
    assertEmpty(await complete(vault, lockId), 204);
    assertMembers(await get(vault), {
      Policy: policyText(arnOf(vault)),
      State: 'Locked',
      ExpirationDate: null,
      CreationDate,
    });
  });

  test('answers 204 any number of times with the right id', async () => {
    const { vault, lockId } = await lockedVault();
    const before = (await get(vault)).text;
    assertEmpty(await complete(vault, lockId), 204);
    assertEmpty(await complete(vault, lockId), 204);
    assert.equal((await get(vault)).text, before);
  });

  test('ignores a body', async () => {
    const { vault, lockId } = await vaultInProgress();
    assertEmpty(await send(api, 'POST', `${targetOf(vault)}/${lockId}`, {}), 204);
  });

  for (const wrong of ['x', 'A'.repeat(24), 'A'.repeat(25)]) {
    test(`with the wrong id ${wrong} answers 400 while it is in progress`, async () => {
      const { vault } = await vaultInProgress();
      const answer = await complete(vault, wrong);
      assertError(answer, 400, 'InvalidParameterValueException', `Invalid lock ID: ${wrong}`);
      assert.equal(await stateOf(vault), 'InProgress');
    });
  }

  test("with another vault's id answers 400", async () => {
    const [{ vault }, { lockId }] = [await vaultInProgress(), await vaultInProgress()];
    const answer = await complete(vault, lockId);
    assertError(answer, 400, 'InvalidParameterValueException', `Invalid lock ID: ${lockId}`);
  });

  test('with the wrong id answers 403 once it is locked', async () => {
    const { vault } = await lockedVault();
    const answer = await complete(vault, 'x');
    assertError(answer, 403, 'AccessDeniedException', 'Invalid lock ID: x');
    assert.equal(await stateOf(vault), 'Locked');
  });

  test('that is not there answers 404', async () => {
    const vault = await createVault(api);
    const message = `No vault lock policy is set for: ${vault}`;
    assertError(await complete(vault, 'x'), 404, 'ResourceNotFoundException', message);
  });

  test('many times at once answers 204 each time', async () => {
    const { vault, lockId } = await vaultInProgress();
    const answers = await Promise.all(Array.from({ length: 5 }, () => complete(vault, lockId)));
    for (const answer of answers) assertEmpty(answer, 204);
  });

  test('while it is aborted leaves one of the two outcomes, and never both', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { vault, lockId } = await vaultInProgress();
      const calls = [complete(vault, lockId), abort(vault)];
      const [completed, aborted] = await Promise.all(round % 2 ? calls.reverse() : calls).then(
        (answers) => (round % 2 ? answers.reverse() : answers),
      );
      const state = await stateOf(vault);
      const seen = [completed?.status, aborted?.status, state];
      const outcomes = [
        [204, 403, 'Locked'],
        [404, 204, undefined],
      ];
      assert.ok(
        outcomes.some((outcome) => outcome.every((each, index) => each === seen[index])),
        String(seen),
      );
    }
  });
});

describe('aborting a lock', () => {
  test('answers 204, and the vault has no lock', async () => {
    const { vault } = await vaultInProgress();
    assertEmpty(await abort(vault), 204);
    await assertNoLock(vault);
  });

  test('that is not there answers 204', async () => {
    const vault = await createVault(api);
    assertEmpty(await abort(vault), 204);
    await assertNoLock(vault);
  });

  test('of a locked vault answers 403 and changes nothing', async () => {
    const { vault } = await lockedVault();
    const message = `The vault lock policy is locked for: ${vault}`;
    assertError(await abort(vault), 403, 'AccessDeniedException', message);
    assert.equal(await stateOf(vault), 'Locked');
  });

  test('makes room for another one, which the older id does not complete', async () => {
    const { vault, lockId: older } = await vaultInProgress();
    assertEmpty(await abort(vault), 204);
    const message = `No vault lock policy is set for: ${vault}`;
    assertError(await complete(vault, older), 404, 'ResourceNotFoundException', message);
    const newer = await initiateLock(api, vault, policyText(arnOf(vault), { Sid: 'second' }));
    assert.notEqual(newer, older);
    const answer = await complete(vault, older);
    assertError(answer, 400, 'InvalidParameterValueException', `Invalid lock ID: ${older}`);
    assertEmpty(await complete(vault, newer), 204);
    const refused = await complete(vault, older);
    assertError(refused, 403, 'AccessDeniedException', `Invalid lock ID: ${older}`);
  });
});

describe('a lock policy', () => {
  const accountId = account.accountId;

  for (const [title] of goodPolicies(arnOf('vault'), accountId)) {
    test(`may have ${title}`, async () => {
      const vault = await createVault(api);
      const text = policyCalled(title, goodPolicies(arnOf(vault), accountId));
      assertEmpty(await initiate(vault, text), 201);
      assert.equal(JSON.parse((await get(vault)).text).Policy, text);
    });
  }

  for (const [title] of badPolicies(arnOf('vault'))) {
    test(`with ${title} answers 400`, async () => {
      const vault = await createVault(api);
      const answer = await initiate(vault, policyCalled(title, badPolicies(arnOf(vault))));
      assertError(answer, 400, 'InvalidParameterValueException', invalid);
      await assertNoLock(vault);
    });
  }
});

describe('requests about locks', () => {
  for (const document of ['', {}, { Policy: null }, { Policy: '' }, { policy: '{}' }]) {
    test(`without a policy answer 400: ${JSON.stringify(document)}`, async () => {
      const answer = await send(api, 'POST', targetOf(shared), document);
      const message = 'Required parameter missing: policy';
      assertError(answer, 400, 'MissingParameterValueException', message);
    });
  }

  for (const body of notObjects) {
    test(`with a body that is no JSON object answer 400: ${body}`, async () => {
      const answer = await send(api, 'POST', targetOf(shared), body);
      assertError(answer, 400, 'SerializationException', /./);
    });
  }

  for (const Policy of [{}, [], 1, true]) {
    test(`with a policy that is no text answer 400: ${JSON.stringify(Policy)}`, async () => {
      const answer = await askForLock(api, shared, Policy);
      assertError(answer, 400, 'SerializationException', /./);
    });
  }

  test('of an unknown vault answer 404 with its ARN', async () => {
    const vault = freshName();
    const message = `Vault not found for ARN: ${arnOf(vault)}`;
    const answers = [
      await initiate(vault),
      await get(vault),
      await abort(vault),
      await complete(vault, 'A'.repeat(24)),
    ];
    for (const answer of answers) assertError(answer, 404, 'ResourceNotFoundException', message);
  });

  test('of an unknown vault are judged by their body first', async () => {
    const target = targetOf(freshName());
    assertError(await send(api, 'POST', target, '{'), 400, 'SerializationException', /./);
    const missing = await send(api, 'POST', target, {});
    const message = 'Required parameter missing: policy';
    assertError(missing, 400, 'MissingParameterValueException', message);
  });
});

describe('a lock belongs to one vault', () => {
  test('and not to the next one', async () => {
    await vaultInProgress();
    await assertNoLock(await createVault(api));
  });

  test('and not to one of the same name in another region', async () => {
    using elsewhere = api.as({ region: freshName('far') });
    const { vault, lockId } = await vaultInProgress();
    await createVault(elsewhere, vault);
    assert.equal((await elsewhere.call('GET', targetOf(vault))).status, 404);
    const lost = await elsewhere.call('POST', `${targetOf(vault)}/${lockId}`);
    assert.equal(lost.status, 404);
    assertEmpty(await elsewhere.call('DELETE', targetOf(vault)), 204);
    assert.equal(await stateOf(vault), 'InProgress');
  });

  test('and to nobody of another account', {
    skip: other === undefined && 'there is no second account on this server',
  }, async () => {
    assert.ok(other !== undefined);
    using stranger = api.as({ credentials: other.credentials });
    const { vault, lockId } = await vaultInProgress();
    const target = targetOf(vault).replace('-', account.accountId);
    const message = `Access denied for account ID: ${account.accountId}`;
    const attempts = [
      await stranger.call('GET', target),
      await send(stranger, 'POST', target, { Policy: policyText(arnOf(vault)) }),
      await stranger.call('DELETE', target),
      await stranger.call('POST', `${target}/${lockId}`),
    ];
    for (const answer of attempts) assertError(answer, 403, 'AccessDeniedException', message);
    assert.equal(await stateOf(vault), 'InProgress');
  });

  test('and stays when the vault is created again while it is there', async () => {
    const { vault } = await lockedVault();
    await createVault(api, vault);
    assert.equal(await stateOf(vault), 'Locked');
  });

  for (const [state, make] of [
    ['in progress', vaultInProgress],
    ['locked', lockedVault],
  ] as const) {
    test(`and goes with the vault, which can be deleted while it is empty and ${state}`, async () => {
      const { vault, lockId } = await make();
      assertEmpty(await api.call('DELETE', `/-/vaults/${vault}`), 204);
      const message = `Vault not found for ARN: ${arnOf(vault)}`;
      assertError(await get(vault), 404, 'ResourceNotFoundException', message);
      await createVault(api, vault);
      await assertNoLock(vault);
      assert.equal((await complete(vault, lockId)).status, 404);
      assertEmpty(await initiate(vault), 201);
    });
  }
});
