import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, openDomain, region } from '../../tests/support/domain.ts';
import { GlacierError } from '../protocol/errors.ts';
import type { GivenRetrievalPolicy } from './retrieval-policies.ts';

const here = { accountId, region };
const none = { rules: [{ strategy: 'None', bytesPerHour: null }] };
const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);

test('the policy is the one that was set last, exact to 2^63-1', async () => {
  await using domain = await openDomain();
  const { retrievalPolicies } = domain;
  for (const bytesPerHour of [1n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
    const rules = [{ strategy: 'BytesPerHour', bytesPerHour }];
    await retrievalPolicies.set(here, { rules });
    assert.deepEqual(await retrievalPolicies.get(here), { rules });
  }
  for (const strategy of ['FreeTier', 'None']) {
    await retrievalPolicies.set(here, { rules: [{ strategy }] });
    assert.deepEqual(await retrievalPolicies.get(here), {
      rules: [{ strategy, bytesPerHour: null }],
    });
  }
});

test('before one is set, the policy is the one that limits nothing', async () => {
  await using domain = await openDomain();
  assert.deepEqual(await domain.retrievalPolicies.get(here), none);
});

test('each account has a policy in each region', async () => {
  await using domain = await openDomain();
  await domain.retrievalPolicies.set(here, { rules: [{ strategy: 'FreeTier' }] });
  for (const elsewhere of [{ region: 'eu-west-1' }, { accountId: '210987654321' }]) {
    assert.deepEqual(await domain.retrievalPolicies.get({ ...here, ...elsewhere }), none);
  }
});

test('a policy has one rule, with a rate if and only if that is its strategy', async () => {
  await using domain = await openDomain();
  const refused = async (rules: GivenRetrievalPolicy['rules'], error: GlacierError) =>
    assert.rejects(domain.retrievalPolicies.set(here, { rules }), error);
  const oneRule = invalid('The data retrieval policy must contain exactly one rule');
  await refused([], oneRule);
  await refused([{ strategy: 'None' }, { strategy: 'None' }], oneRule);
  const noRate = invalid('BytesPerHour is only valid with the BytesPerHour strategy');
  await refused([{ strategy: 'None', bytesPerHour: 1n }], noRate);
  await refused([{ strategy: 'FreeTier', bytesPerHour: 1n }], noRate);
  await refused(
    [{ strategy: 'BytesPerHour' }],
    new GlacierError('MissingParameterValueException', 'Required parameter missing: BytesPerHour'),
  );
  assert.deepEqual(await domain.retrievalPolicies.get(here), none);
});
