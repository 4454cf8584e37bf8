import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from '../support/api.ts';
import { addTags, createVault, send } from '../support/deeds.ts';
import { policyText } from '../support/policies.ts';
import { startServer } from '../support/start-server.ts';
import { onlyOwnServer } from '../support/target.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

test('what was set for a vault and an account is there after a restart', {
  skip: onlyOwnServer,
}, async () => {
  using directory = new TemporaryDirectory();
  const env = { FIRN_DATA_DIR: directory.path };
  const shown = [
    '/-/vaults/kept/tags',
    '/-/vaults/kept/notification-configuration',
    '/-/vaults/kept/access-policy',
    '/-/policies/data-retrieval',
  ];
  const show = async (api: Api) => {
    const answers = await Promise.all(shown.map((target) => api.call('GET', target)));
    for (const answer of answers) assert.equal(answer.status, 200, answer.text);
    return answers.map(({ text }) => text);
  };
  let before: string[] = [];
  {
    const first = await startServer({ env });
    await using _ = first;
    const { accountId, credentials } = first.account;
    using api = new Api({ url: first.url, credentials });
    await createVault(api, 'kept');
    await addTags(api, 'kept', { 'a key': 'a välue', empty: '' });
    const arn = `arn:aws:glacier:${api.region}:${accountId}:vaults/kept`;
    const Policy = `${policyText(arn)}\n`;
    const SNSTopic = `arn:aws:sns:${api.region}:${accountId}:topic`;
    const notifications = { SNSTopic, Events: ['InventoryRetrievalCompleted'] };
    const rule = '{"Strategy":"BytesPerHour","BytesPerHour":9223372036854775807}';
    const settings: readonly unknown[] = [
      notifications,
      { Policy },
      `{"Policy":{"Rules":[${rule}]}}`,
    ];
    for (const [index, document] of settings.entries()) {
      const answer = await send(api, 'PUT', shown[index + 1] ?? '', document);
      assert.equal(answer.status, 204, answer.text);
    }
    before = await show(api);
  }
  const second = await startServer({ env });
  await using _ = second;
  using api = new Api({ url: second.url, credentials: second.account.credentials });
  assert.deepEqual(await show(api), before);
  assert.ok(before[0]?.includes('a välue') && before[3]?.includes('9223372036854775807'));
});
