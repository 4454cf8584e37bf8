import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createVault, freshName, send } from '../support/deeds.ts';
import { assertDocument, assertEmpty, assertError, notObjects } from '../support/expectations.ts';
import { openTarget } from '../support/target.ts';

const { api, account, other } = await openTarget();
const shared = await createVault(api);

const arnOf = (vault: string) =>
  `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${vault}`;

const topicArn = (name: string, accountId = account.accountId) =>
  `arn:aws:sns:${api.region}:${accountId}:${name}`;

const SNSTopic = topicArn('archives');
const Events = ['ArchiveRetrievalCompleted', 'InventoryRetrievalCompleted'];
const valid = { Events, SNSTopic };

const targetOf = (vault: string) => `/-/vaults/${vault}/notification-configuration`;
const set = (vault: string, document: unknown) => send(api, 'PUT', targetOf(vault), document);
const get = (vault: string) => api.call('GET', targetOf(vault));
const remove = (vault: string) => api.call('DELETE', targetOf(vault));

/** A vault with a configuration. */
async function configuredVault(): Promise<string> {
  const vault = await createVault(api);
  assertEmpty(await set(vault, valid), 204);
  return vault;
}

async function assertNotSet(vault: string): Promise<void> {
  const message = `No notification configuration is set for vault: ${vault}`;
  assertError(await get(vault), 404, 'ResourceNotFoundException', message);
}

describe('setting the notifications of a vault', () => {
  test('answers 204, and they are shown as the bare object that was given', async () => {
    const vault = await configuredVault();
    assertDocument(await get(vault), valid);
  });

  test('replaces those that were set before', async () => {
    const vault = await configuredVault();
    const later = { Events: ['ArchiveRetrievalCompleted'], SNSTopic: topicArn('others') };
    assertEmpty(await set(vault, later), 204);
    assertDocument(await get(vault), later);
  });

  test('does no more the second time', async () => {
    const vault = await configuredVault();
    assertEmpty(await set(vault, valid), 204);
    assertDocument(await get(vault), valid);
  });

  for (const events of [Events.slice(0, 1), Events.slice(1), [...Events].reverse()]) {
    test(`takes the events ${events.join(', ')} and shows them in this order`, async () => {
      const vault = await createVault(api);
      assertEmpty(await set(vault, { ...valid, Events: events }), 204);
      assertDocument(await get(vault), { ...valid, Events: events });
    });
  }

  test('keeps an event once that is given twice', async () => {
    const vault = await createVault(api);
    const [first, second] = Events;
    assertEmpty(await set(vault, { ...valid, Events: [second, first, second] }), 204);
    assertDocument(await get(vault), { ...valid, Events: [second, first] });
  });

  test("takes another account's topic, and one that nobody has", async () => {
    const vault = await createVault(api);
    for (const topic of [topicArn('theirs', '444455556666'), topicArn(freshName('none'))]) {
      assertEmpty(await set(vault, { ...valid, SNSTopic: topic }), 204);
      assertDocument(await get(vault), { ...valid, SNSTopic: topic });
    }
  });

  test('ignores members that nobody knows, and the type of the body', async () => {
    const vault = await createVault(api);
    const body = JSON.stringify({ ...valid, Unknown: {} }, null, 2);
    const headers = [['Content-Type', 'text/plain']] as const;
    assertEmpty(await api.call('PUT', targetOf(vault), { body, headers }), 204);
    assertDocument(await get(vault), valid);
  });

  const lacking: readonly (readonly [document: unknown, member: RegExp])[] = [
    ['', /^(?:SNSTopic|Events)$/],
    [{}, /^(?:SNSTopic|Events)$/],
    [{ vaultNotificationConfig: valid }, /^(?:SNSTopic|Events)$/],
    [{ Events }, /^SNSTopic$/],
    [{ Events, SNSTopic: null }, /^SNSTopic$/],
    [{ SNSTopic }, /^Events$/],
    [{ SNSTopic, Events: null }, /^Events$/],
    [{ SNSTopic, Events: [] }, /^Events$/],
  ];

  for (const [document, member] of lacking) {
    test(`with something missing answers 400: ${JSON.stringify(document)}`, async () => {
      const vault = await createVault(api);
      const message = new RegExp(member.source.replace('^', '^Required parameter missing: '));
      const answer = await set(vault, document);
      assertError(answer, 400, 'MissingParameterValueException', message);
      await assertNotSet(vault);
    });
  }

  test('without a body answers 400', async () => {
    const answer = await api.call('PUT', targetOf(shared));
    const message = /^Required parameter missing: (?:SNSTopic|Events)$/;
    assertError(answer, 400, 'MissingParameterValueException', message);
  });

  const notTopics: readonly string[] = [
    'topic',
    `arn:aws:sqs:${api.region}:${account.accountId}:queue`,
    `arn:aws:sns:${api.region}:${account.accountId}`,
    `arn:aws:sns:${api.region}:${account.accountId}:`,
    `arn:aws:sns:${api.region}::archives`,
    `arn:aws:sns::${account.accountId}:archives`,
    `arn:aws:sns:${api.region}:abc:archives`,
    `arn:aws-cn:sns:${api.region}:${account.accountId}:archives`,
    ` ${SNSTopic}`,
  ];

  for (const topic of notTopics) {
    test(`the topic "${topic}", which is none, answers 400`, async () => {
      const vault = await createVault(api);
      const answer = await set(vault, { ...valid, SNSTopic: topic });
      const message = `Invalid SNS topic ARN: ${topic}`;
      assertError(answer, 400, 'InvalidParameterValueException', message);
      await assertNotSet(vault);
    });
  }

  test('a topic in another region answers 400 with its ARN', async () => {
    const vault = await configuredVault();
    const distant = `arn:aws:sns:eu-north-1:${account.accountId}:archives`;
    const answer = await set(vault, { ...valid, SNSTopic: distant });
    const message = `SNS topics must be in the local AWS region: ${distant}`;
    assertError(answer, 400, 'InvalidParameterValueException', message);
    assertDocument(await get(vault), valid);
  });

  for (const event of ['ArchiveUploaded', 'archiveRetrievalCompleted', '']) {
    test(`the event "${event}", which is none, answers 400`, async () => {
      const vault = await configuredVault();
      const answer = await set(vault, { ...valid, Events: [...Events, event] });
      const message = `Invalid vault notification event: ${event}`;
      assertError(answer, 400, 'InvalidParameterValueException', message);
      assertDocument(await get(vault), valid);
    });
  }

  const wrongTypes: readonly unknown[] = [
    { ...valid, SNSTopic: 1 },
    { ...valid, SNSTopic: [SNSTopic] },
    { ...valid, Events: 'ArchiveRetrievalCompleted' },
    { ...valid, Events: { ArchiveRetrievalCompleted: true } },
    { ...valid, Events: [1] },
    { ...valid, Events: [Events] },
  ];

  for (const document of wrongTypes) {
    test(`a member of the wrong JSON type answers 400: ${JSON.stringify(document)}`, async () => {
      assertError(await set(shared, document), 400, 'SerializationException', /./);
    });
  }

  for (const body of notObjects) {
    test(`a body that is no JSON object answers 400: ${body}`, async () => {
      assertError(await set(shared, body), 400, 'SerializationException', /./);
    });
  }

  test('of an unknown vault answers 404 with its ARN', async () => {
    const vault = freshName();
    const message = `Vault not found for ARN: ${arnOf(vault)}`;
    assertError(await set(vault, valid), 404, 'ResourceNotFoundException', message);
  });

  test('of an unknown vault judges the body first', async () => {
    const vault = freshName();
    assertError(await set(vault, '{'), 400, 'SerializationException', /./);
    const missing = await set(vault, { Events });
    const message = 'Required parameter missing: SNSTopic';
    assertError(missing, 400, 'MissingParameterValueException', message);
    const wrong = await set(vault, { ...valid, SNSTopic: 'topic' });
    assertError(wrong, 400, 'InvalidParameterValueException', 'Invalid SNS topic ARN: topic');
  });
});

describe('getting the notifications of a vault', () => {
  test('answers 404 with the name of the vault when none are set', async () => {
    await assertNotSet(await createVault(api));
  });

  test('of an unknown vault answers 404 with its ARN', async () => {
    const vault = freshName();
    const message = `Vault not found for ARN: ${arnOf(vault)}`;
    assertError(await get(vault), 404, 'ResourceNotFoundException', message);
  });
});

describe('deleting the notifications of a vault', () => {
  test('answers 204, and they are gone', async () => {
    const vault = await configuredVault();
    assertEmpty(await remove(vault), 204);
    await assertNotSet(vault);
  });

  test('answers 204 when none are set, and again', async () => {
    const vault = await createVault(api);
    assertEmpty(await remove(vault), 204);
    assertEmpty(await set(vault, valid), 204);
    assertEmpty(await remove(vault), 204);
    assertEmpty(await remove(vault), 204);
  });

  test('of an unknown vault answers 404 with its ARN', async () => {
    const vault = freshName();
    const message = `Vault not found for ARN: ${arnOf(vault)}`;
    assertError(await remove(vault), 404, 'ResourceNotFoundException', message);
  });
});

describe('the notifications belong to one vault', () => {
  test('and not to the next one', async () => {
    await configuredVault();
    await assertNotSet(await createVault(api));
  });

  test('and not to one of the same name in another region', async () => {
    using elsewhere = api.as({ region: freshName('far') });
    const vault = await configuredVault();
    await createVault(elsewhere, vault);
    assert.equal((await elsewhere.call('GET', targetOf(vault))).status, 404);
    assertEmpty(await elsewhere.call('DELETE', targetOf(vault)), 204);
    assertDocument(await get(vault), valid);
  });

  test('and not to one of the same name in another account', {
    skip: other === undefined && 'there is no second account on this server',
  }, async () => {
    assert.ok(other !== undefined);
    using stranger = api.as({ credentials: other.credentials });
    const vault = await configuredVault();
    await createVault(stranger, vault);
    assert.equal((await stranger.call('GET', targetOf(vault))).status, 404);
    const message = `Access denied for account ID: ${account.accountId}`;
    const target = targetOf(vault).replace('-', account.accountId);
    const attempts = [
      await stranger.call('GET', target),
      await send(stranger, 'PUT', target, { ...valid, SNSTopic: topicArn('stolen') }),
      await stranger.call('DELETE', target),
    ];
    for (const answer of attempts) assertError(answer, 403, 'AccessDeniedException', message);
    assertDocument(await get(vault), valid);
  });

  test('and go with it, but stay when it is created again while it is there', async () => {
    const vault = await configuredVault();
    await createVault(api, vault);
    assertDocument(await get(vault), valid);
    assertEmpty(await api.call('DELETE', `/-/vaults/${vault}`), 204);
    const message = `Vault not found for ARN: ${arnOf(vault)}`;
    assertError(await get(vault), 404, 'ResourceNotFoundException', message);
    await createVault(api, vault);
    await assertNotSet(vault);
  });
});
