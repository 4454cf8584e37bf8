import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createVault, freshName, send } from '../support/deeds.ts';
import { assertDocument, assertEmpty, assertError, notObjects } from '../support/expectations.ts';
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

const targetOf = (vault: string) => `/-/vaults/${vault}/access-policy`;
const put = (vault: string, document: unknown) => send(api, 'PUT', targetOf(vault), document);
const set = (vault: string, Policy: unknown) => put(vault, { Policy });
const get = (vault: string) => api.call('GET', targetOf(vault));
const remove = (vault: string) => api.call('DELETE', targetOf(vault));

const invalid =
  /^The specified vault access policy is invalid\. Provide a valid policy\.(?: Reason: .+)?$/s;

/** A vault with an access policy, which is `policyText` of its ARN. */
async function vaultWithPolicy(): Promise<string> {
  const vault = await createVault(api);
  assertEmpty(await set(vault, policyText(arnOf(vault))), 204);
  return vault;
}

async function assertPolicy(vault: string, Policy: string): Promise<void> {
  assertDocument(await get(vault), { Policy });
}

async function assertNotSet(vault: string): Promise<void> {
  const message = `No vault access policy is set for: ${vault}`;
  assertError(await get(vault), 404, 'ResourceNotFoundException', message);
}

describe('setting the access policy of a vault', () => {
  test('answers 204, and it is shown as it was given', async () => {
    const vault = await vaultWithPolicy();
    await assertPolicy(vault, policyText(arnOf(vault)));
  });

  test('replaces the one that was set before', async () => {
    const vault = await vaultWithPolicy();
    const later = policyText(arnOf(vault), { Action: 'glacier:InitiateJob' });
    assertEmpty(await set(vault, later), 204);
    await assertPolicy(vault, later);
  });

  test('does no more the second time', async () => {
    const vault = await vaultWithPolicy();
    assertEmpty(await set(vault, policyText(arnOf(vault))), 204);
    await assertPolicy(vault, policyText(arnOf(vault)));
  });

  test('keeps white space, order and escapes as they were written', async () => {
    const vault = await createVault(api);
    const document: unknown = JSON.parse(policyText(arnOf(vault), {}, { Id: 'é \u{1d4b3} "\\' }));
    const text = `\n${JSON.stringify(document, null, 3)} \t\r\n`
      .replaceAll('/', '\\/')
      .replace('Deny', '\\u0044eny');
    assertEmpty(await set(vault, text), 204);
    await assertPolicy(vault, text);
  });

  test('takes 20,480 bytes of it, and no more', async () => {
    const vault = await createVault(api);
    const largest = policyOfSize(arnOf(vault), 20_480);
    assertEmpty(await set(vault, largest), 204);
    await assertPolicy(vault, largest);
    const answer = await set(vault, policyOfSize(arnOf(vault), 20_481));
    assertError(answer, 400, 'InvalidParameterValueException', invalid);
    await assertPolicy(vault, largest);
  });

  test('counts its bytes, not its characters', async () => {
    const vault = await createVault(api);
    const text = policyText(arnOf(vault), {}, { Id: 'é'.repeat(100) });
    const largest = text.padEnd(20_480 - 100, ' ');
    assertEmpty(await set(vault, largest), 204);
    const answer = await set(vault, `${largest} `);
    assertError(answer, 400, 'InvalidParameterValueException', invalid);
  });

  test('ignores members that nobody knows, and the type of the body', async () => {
    const vault = await createVault(api);
    const Policy = policyText(arnOf(vault));
    const body = JSON.stringify({ Unknown: 1, Policy }, null, 2);
    const headers = [['Content-Type', 'text/plain']] as const;
    assertEmpty(await api.call('PUT', targetOf(vault), { body, headers }), 204);
    await assertPolicy(vault, Policy);
  });

  test('is always possible, whether the vault has a lock or not', async () => {
    const vault = await createVault(api);
    const Policy = policyText(arnOf(vault));
    const lock = await send(api, 'POST', `/-/vaults/${vault}/lock-policy`, { Policy });
    assert.equal(lock.status, 201, lock.text);
    assertEmpty(await set(vault, Policy), 204);
    await assertPolicy(vault, Policy);
    assertEmpty(await remove(vault), 204);
    const lockId = lock.headers.get('x-amz-lock-id');
    assertEmpty(await api.call('POST', `/-/vaults/${vault}/lock-policy/${lockId}`), 204);
    assertEmpty(await set(vault, Policy), 204);
    await assertPolicy(vault, Policy);
    assertEmpty(await remove(vault), 204);
  });
});

describe('an access policy', () => {
  const accountId = account.accountId;

  for (const [title] of goodPolicies(arnOf('vault'), accountId)) {
    test(`may have ${title}`, async () => {
      const vault = await createVault(api);
      const text = policyCalled(title, goodPolicies(arnOf(vault), accountId));
      assertEmpty(await set(vault, text), 204);
      await assertPolicy(vault, text);
    });
  }

  for (const [title] of badPolicies(arnOf('vault'))) {
    test(`with ${title} answers 400`, async () => {
      const vault = await createVault(api);
      const answer = await set(vault, policyCalled(title, badPolicies(arnOf(vault))));
      assertError(answer, 400, 'InvalidParameterValueException', invalid);
      await assertNotSet(vault);
    });
  }

  test('that is refused leaves the one that was there', async () => {
    const vault = await vaultWithPolicy();
    assert.equal((await set(vault, '{}')).status, 400);
    await assertPolicy(vault, policyText(arnOf(vault)));
  });
});

describe('requests about access policies', () => {
  for (const document of ['', {}, { Policy: null }, { Policy: '' }, { policy: '{}' }]) {
    test(`without a policy answer 400: ${JSON.stringify(document)}`, async () => {
      const message = 'Required parameter missing: policy';
      assertError(await put(shared, document), 400, 'MissingParameterValueException', message);
    });
  }

  test('without a body answer 400', async () => {
    const message = 'Required parameter missing: policy';
    const answer = await api.call('PUT', targetOf(shared));
    assertError(answer, 400, 'MissingParameterValueException', message);
  });

  for (const body of notObjects) {
    test(`with a body that is no JSON object answer 400: ${body}`, async () => {
      assertError(await put(shared, body), 400, 'SerializationException', /./);
    });
  }

  for (const Policy of [{}, [], 1, true, JSON.parse(policyText(arnOf(shared)))]) {
    const shown = JSON.stringify(Policy).slice(0, 20);
    test(`with a policy that is no text answer 400: ${shown}`, async () => {
      assertError(await set(shared, Policy), 400, 'SerializationException', /./);
    });
  }

  test('of an unknown vault answer 404 with its ARN', async () => {
    const vault = freshName();
    const message = `Vault not found for ARN: ${arnOf(vault)}`;
    const answers = [
      await set(vault, policyText(arnOf(vault))),
      await get(vault),
      await remove(vault),
    ];
    for (const answer of answers) assertError(answer, 404, 'ResourceNotFoundException', message);
  });

  test('of an unknown vault are judged by their body first', async () => {
    const vault = freshName();
    assertError(await put(vault, '{'), 400, 'SerializationException', /./);
    const message = 'Required parameter missing: policy';
    assertError(await put(vault, {}), 400, 'MissingParameterValueException', message);
    assertError(await set(vault, 'no policy'), 400, 'InvalidParameterValueException', invalid);
  });
});

describe('getting the access policy of a vault', () => {
  test('answers 404 with the name of the vault when none is set', async () => {
    await assertNotSet(await createVault(api));
  });
});

describe('deleting the access policy of a vault', () => {
  test('answers 204, and it is gone', async () => {
    const vault = await vaultWithPolicy();
    assertEmpty(await remove(vault), 204);
    await assertNotSet(vault);
  });

  test('answers 204 when none is set, and again', async () => {
    const vault = await createVault(api);
    assertEmpty(await remove(vault), 204);
    assertEmpty(await set(vault, policyText(arnOf(vault))), 204);
    assertEmpty(await remove(vault), 204);
    assertEmpty(await remove(vault), 204);
  });
});

describe('an access policy belongs to one vault', () => {
  test('and not to the next one', async () => {
    await vaultWithPolicy();
    await assertNotSet(await createVault(api));
  });

  test('and not to one of the same name in another region', async () => {
    using elsewhere = api.as({ region: freshName('far') });
    const vault = await vaultWithPolicy();
    await createVault(elsewhere, vault);
    assert.equal((await elsewhere.call('GET', targetOf(vault))).status, 404);
    assertEmpty(await elsewhere.call('DELETE', targetOf(vault)), 204);
    await assertPolicy(vault, policyText(arnOf(vault)));
  });

  test('and not to one of the same name in another account', {
    skip: other === undefined && 'there is no second account on this server',
  }, async () => {
    assert.ok(other !== undefined);
    using stranger = api.as({ credentials: other.credentials });
    const vault = await vaultWithPolicy();
    await createVault(stranger, vault);
    assert.equal((await stranger.call('GET', targetOf(vault))).status, 404);
  });

  test('and goes with it, but stays when it is created again while it is there', async () => {
    const vault = await vaultWithPolicy();
    await createVault(api, vault);
    await assertPolicy(vault, policyText(arnOf(vault)));
    assertEmpty(await api.call('DELETE', `/-/vaults/${vault}`), 204);
    assert.equal((await get(vault)).status, 404);
    await createVault(api, vault);
    await assertNotSet(vault);
  });

  test('and is nothing to a stranger who has no grant', {
    skip: other === undefined && 'there is no second account on this server',
  }, async () => {
    assert.ok(other !== undefined);
    using stranger = api.as({ credentials: other.credentials });
    const vault = await vaultWithPolicy();
    const target = targetOf(vault).replace('-', account.accountId);
    const message = `Access denied for account ID: ${account.accountId}`;
    const attempts = [
      await stranger.call('GET', target),
      await send(stranger, 'PUT', target, { Policy: policyText(arnOf(vault)) }),
      await stranger.call('DELETE', target),
    ];
    for (const answer of attempts) assertError(answer, 403, 'AccessDeniedException', message);
    await assertPolicy(vault, policyText(arnOf(vault)));
  });
});
