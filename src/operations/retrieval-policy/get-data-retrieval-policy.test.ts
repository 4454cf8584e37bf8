import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { getDataRetrievalPolicy } from './get-data-retrieval-policy.ts';

const call = { region, signal: goingOn };

test('GetDataRetrievalPolicy answers the policy, and one without limits before one is set', async () => {
  await using domain = await openDomain();
  assert.deepEqual(await getDataRetrievalPolicy({ accountId }, domain, call), {
    policy: { rules: [{ strategy: 'None', bytesPerHour: null }] },
  });
  await domain.retrievalPolicies.set({ accountId, region }, { rules: [{ strategy: 'FreeTier' }] });
  assert.deepEqual(await getDataRetrievalPolicy({ accountId }, domain, call), {
    policy: { rules: [{ strategy: 'FreeTier', bytesPerHour: null }] },
  });
});
