import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { setDataRetrievalPolicy } from './set-data-retrieval-policy.ts';

const call = { region, signal: goingOn };
const here = { accountId, region };

test('SetDataRetrievalPolicy sets the policy of the account in the region of the call', async () => {
  await using domain = await openDomain();
  const policy = { rules: [{ strategy: 'BytesPerHour', bytesPerHour: 2n ** 63n - 1n }] };
  assert.deepEqual(await setDataRetrievalPolicy({ accountId, policy }, domain, call), {});
  assert.deepEqual(await domain.retrievalPolicies.get(here), policy);
  assert.deepEqual(await domain.retrievalPolicies.get({ ...here, region: 'eu-west-1' }), {
    rules: [{ strategy: 'None', bytesPerHour: null }],
  });
});

test('SetDataRetrievalPolicy says that a rate is missing', async () => {
  await using domain = await openDomain();
  const policy = { rules: [{ strategy: 'BytesPerHour' }] };
  await assert.rejects(
    setDataRetrievalPolicy({ accountId, policy }, domain, call),
    new GlacierError('MissingParameterValueException', 'Required parameter missing: BytesPerHour'),
  );
});
