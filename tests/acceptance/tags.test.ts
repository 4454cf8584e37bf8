import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  addTags,
  createVault,
  freshName,
  jsonOf,
  removeTags,
  send,
  tagsOf,
} from '../support/deeds.ts';
import { assertDocument, assertEmpty, assertError, notObjects } from '../support/expectations.ts';
import { startServer } from '../support/start-server.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';

const { api, account, other } = await openTarget();
const shared = await createVault(api);

const arnOf = (vault: string) =>
  `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${vault}`;

/** That many tags, whose keys begin with `prefix`. */
function someTags(count: number, prefix = 'key'): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${prefix}-${index}`, `value ${index}`]),
  );
}

/** A vault with that many tags. */
async function taggedVault(count: number): Promise<string> {
  const vault = await createVault(api);
  for (let at = 0; at < count; at += 10) {
    assertEmpty(await addTags(api, vault, someTags(Math.min(10, count - at), `old-${at}`)), 204);
  }
  return vault;
}

const operations = ['add', 'remove'] as const;
const memberOf = { add: 'Tags', remove: 'TagKeys' } as const;
const targetOf = (vault: string, operation: string) =>
  `/-/vaults/${vault}/tags?operation=${operation}`;

describe('listing tags', () => {
  test('a vault without tags has an empty object of them', async () => {
    const vault = await createVault(api);
    assertDocument(await api.call('GET', `/-/vaults/${vault}/tags`), { Tags: {} });
  });

  test('a tag is shown with its value, as JSON', async () => {
    const vault = await createVault(api);
    assertEmpty(await addTags(api, vault, { Department: 'Finance' }), 204);
    const answer = await api.call('GET', `/-/vaults/${vault}/tags`);
    assertDocument(answer, { Tags: { Department: 'Finance' } });
  });

  test('all tags come at once', async () => {
    const vault = await taggedVault(50);
    assert.equal(Object.keys(await tagsOf(api, vault)).length, 50);
  });
});

describe('adding tags', () => {
  test('answers 204 and keeps what was there', async () => {
    const vault = await createVault(api);
    assertEmpty(await addTags(api, vault, { a: '1' }), 204);
    assertEmpty(await addTags(api, vault, { b: '2', c: '' }), 204);
    assert.deepEqual(await tagsOf(api, vault), { a: '1', b: '2', c: '' });
  });

  test('overwrites the value of a key that is there', async () => {
    const vault = await createVault(api);
    await addTags(api, vault, { a: '1', b: '2' });
    assertEmpty(await addTags(api, vault, { a: 'one' }), 204);
    assert.deepEqual(await tagsOf(api, vault), { a: 'one', b: '2' });
  });

  test('does no more the second time', async () => {
    const vault = await createVault(api);
    assertEmpty(await addTags(api, vault, { a: '1' }), 204);
    assertEmpty(await addTags(api, vault, { a: '1' }), 204);
    assert.deepEqual(await tagsOf(api, vault), { a: '1' });
  });

  test('tells upper from lower case in keys and values', async () => {
    const vault = await createVault(api);
    const tags = { Key: 'Value', key: 'value', KEY: 'VALUE' };
    assertEmpty(await addTags(api, vault, tags), 204);
    assert.deepEqual(await tagsOf(api, vault), tags);
  });

  test('reads the body as JSON whatever its type', async () => {
    const vault = await createVault(api);
    const answer = await api.call('POST', targetOf(vault, 'add'), {
      body: '{ "Tags": { "a": "\\u00e9" }, "Unknown": [1] }',
      headers: [['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8']],
    });
    assertEmpty(answer, 204);
    assert.deepEqual(await tagsOf(api, vault), { a: 'é' });
  });

  const goodTags: readonly (readonly [shown: string, key: string, value: string])[] = [
    ['a key of 1 character', 'k', 'v'],
    ['a key of 128 characters', 'k'.repeat(128), 'v'],
    ['a key of 128 characters beyond the first plane', '\u{1d4b3}'.repeat(128), 'v'],
    ['an empty value', 'k', ''],
    ['a value of 255 characters', 'k', 'v'.repeat(255)],
    ['a value of 256 characters', 'k', 'v'.repeat(256)],
    ['a value of 256 characters beyond the first plane', 'k', '\u{1d4b3}'.repeat(256)],
    ['every sign that is allowed', 'aZ 09_./=+-@:', ':@-+=/._90 Za'],
    ['letters of other scripts', 'éßЖ漢字あ', 'ünïcödé Ελληνικά'],
    ['a key that begins like the reserved prefix', 'aws', 'aws:x'],
    ['a key that goes on where the reserved prefix ends', 'awsome:tag', 'v'],
    ['the reserved prefix within a key', 'my:aws:tag', 'v'],
    ['a key of digits', '1234', '5'],
    ['a key that objects have by nature', 'constructor', 'toString'],
  ];

  for (const [shown, key, value] of goodTags) {
    test(`takes ${shown}`, async () => {
      const vault = await createVault(api);
      assertEmpty(await addTags(api, vault, { [key]: value }), 204);
      assert.deepEqual(await tagsOf(api, vault), { [key]: value });
      assertEmpty(await removeTags(api, vault, [key]), 204);
      assert.deepEqual(await tagsOf(api, vault), {});
    });
  }

  test('takes a key that some JSON readers lose', async () => {
    const vault = await createVault(api);
    const body = '{"Tags":{"__proto__":"kept"}}';
    assertEmpty(await send(api, 'POST', targetOf(vault, 'add'), body), 204);
    const answer = await api.call('GET', `/-/vaults/${vault}/tags`);
    assert.equal(answer.text, body);
    assertEmpty(await removeTags(api, vault, ['__proto__']), 204);
    assert.deepEqual(await tagsOf(api, vault), {});
  });

  const badTags: readonly (readonly [shown: string, key: string, value: string])[] = [
    ['an empty key', '', 'v'],
    ['a key of 129 characters', 'k'.repeat(129), 'v'],
    ['a key of 129 characters beyond the first plane', '\u{1d4b3}'.repeat(129), 'v'],
    ['a value of 257 characters', 'k', 'v'.repeat(257)],
    ['a value of 257 characters beyond the first plane', 'k', '\u{1d4b3}'.repeat(257)],
    ['the reserved prefix', 'aws:tag', 'v'],
    ['the reserved prefix alone', 'aws:', 'v'],
    ['a tab in a key', 'a\tb', 'v'],
    ['a line feed in a value', 'k', 'a\nb'],
    ['a zero character', 'k', '\0'],
    ['an emoji', 'k', '\u{1f600}'],
    ['half of a surrogate pair', 'k', '\ud835'],
    ...[...'!"#$%&\'()*,;<>?[\\]^`{|}~'].map(
      (sign) => [`the sign ${sign} in a key`, `a${sign}b`, 'v'] as const,
    ),
    ...[...'!"#$%&\'()*,;<>?[\\]^`{|}~'].map(
      (sign) => [`the sign ${sign} in a value`, 'k', `a${sign}b`] as const,
    ),
  ];

  for (const [shown, key, value] of badTags) {
    test(`with ${shown} answers 400 and adds nothing`, async () => {
      const vault = await createVault(api);
      const answer = await addTags(api, vault, { good: 'tag', [key]: value });
      assertError(answer, 400, 'InvalidParameterValueException', /./);
      assert.deepEqual(await tagsOf(api, vault), {});
    });
  }

  test('takes 10 at once, and no more', async () => {
    const vault = await createVault(api);
    const refused = await addTags(api, vault, someTags(11));
    assertError(refused, 400, 'InvalidParameterValueException', /./);
    assert.deepEqual(await tagsOf(api, vault), {});
    assertEmpty(await addTags(api, vault, someTags(10)), 204);
    assert.deepEqual(await tagsOf(api, vault), someTags(10));
  });

  test('takes one at least', async () => {
    const answer = await addTags(api, shared, {});
    assertError(answer, 400, 'InvalidParameterValueException', /./);
  });
});

describe('a vault has room for 50 tags', { skip: onlyOwnServer }, () => {
  test('and refuses the 51st, with all that came beside it', async () => {
    const vault = await taggedVault(49);
    const refused = await addTags(api, vault, { one: '1', two: '2' });
    assertError(refused, 400, 'LimitExceededException', /./);
    assert.equal(Object.keys(await tagsOf(api, vault)).length, 49);
    assertEmpty(await addTags(api, vault, { one: '1' }), 204);
    assertError(await addTags(api, vault, { two: '2' }), 400, 'LimitExceededException', /./);
    assert.equal(Object.keys(await tagsOf(api, vault)).length, 50);
  });

  test('and overwrites them when it is full, without a new one beside', async () => {
    const vault = await taggedVault(50);
    const renewed = { ...someTags(9, 'old-0'), 'old-0-0': 'another' };
    assertEmpty(await addTags(api, vault, renewed), 204);
    const refused = await addTags(api, vault, { ...someTags(9, 'old-0'), new: '1' });
    assertError(refused, 400, 'LimitExceededException', /./);
    assert.equal((await tagsOf(api, vault))['old-0-0'], 'another');
  });

  test('and takes a new one once one is removed', async () => {
    const vault = await taggedVault(50);
    assertEmpty(await removeTags(api, vault, ['old-0-0']), 204);
    assertEmpty(await addTags(api, vault, { new: '1' }), 204);
    assertError(await addTags(api, vault, { newer: '1' }), 400, 'LimitExceededException', /./);
  });

  test('and never more, whoever adds at the same time', async () => {
    const vault = await createVault(api);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => addTags(api, vault, someTags(10, `of-${index}`))),
    );
    const refused = answers.filter(({ status }) => status !== 204);
    for (const answer of refused) assertError(answer, 400, 'LimitExceededException', /./);
    assert.equal(refused.length, 5);
    assert.equal(Object.keys(await tagsOf(api, vault)).length, 50);
  });

  test('or for as many as FIRN_VAULT_TAGS_MAX says', async () => {
    const server = await startServer({ env: { FIRN_VAULT_TAGS_MAX: '3' } });
    await using _ = server;
    using there = new Api({ url: server.url, credentials: server.account.credentials });
    const vault = await createVault(there);
    assertError(await addTags(there, vault, someTags(4)), 400, 'LimitExceededException', /./);
    assertEmpty(await addTags(there, vault, someTags(3)), 204);
    assertError(await addTags(there, vault, { more: '' }), 400, 'LimitExceededException', /./);
  });
});

describe('removing tags', () => {
  test('answers 204 and leaves the others', async () => {
    const vault = await createVault(api);
    await addTags(api, vault, { a: '1', b: '2', c: '3' });
    assertEmpty(await removeTags(api, vault, ['a', 'c']), 204);
    assert.deepEqual(await tagsOf(api, vault), { b: '2' });
  });

  test('answers 204 when there is nothing to remove', async () => {
    const vault = await createVault(api);
    assertEmpty(await removeTags(api, vault, ['never', 'there']), 204);
    await addTags(api, vault, { a: '1' });
    assertEmpty(await removeTags(api, vault, ['a']), 204);
    assertEmpty(await removeTags(api, vault, ['a']), 204);
    assert.deepEqual(await tagsOf(api, vault), {});
  });

  test('removes what is there of a list, in the case that is said', async () => {
    const vault = await createVault(api);
    await addTags(api, vault, { a: '1', B: '2' });
    assertEmpty(await removeTags(api, vault, ['missing', 'a', 'b']), 204);
    assert.deepEqual(await tagsOf(api, vault), { B: '2' });
  });

  test('takes 10 keys at once, and no more', async () => {
    const vault = await createVault(api);
    await addTags(api, vault, someTags(10));
    const keys = Object.keys(someTags(11));
    const refused = await removeTags(api, vault, keys);
    assertError(refused, 400, 'InvalidParameterValueException', /./);
    assert.deepEqual(await tagsOf(api, vault), someTags(10));
    assertEmpty(await removeTags(api, vault, keys.slice(0, 10)), 204);
    assert.deepEqual(await tagsOf(api, vault), {});
  });

  test('takes one key at least', async () => {
    const answer = await removeTags(api, shared, []);
    assertError(answer, 400, 'InvalidParameterValueException', /./);
  });

  for (const key of ['', 'k'.repeat(129), 'a,b', 'a\nb', '\u{1f600}']) {
    const shown = JSON.stringify(key).slice(0, 20);
    test(`with the key ${shown}, which can't be one, answers 400 and removes nothing`, async () => {
      const vault = await createVault(api);
      await addTags(api, vault, { a: '1' });
      const answer = await removeTags(api, vault, ['a', key]);
      assertError(answer, 400, 'InvalidParameterValueException', /./);
      assert.deepEqual(await tagsOf(api, vault), { a: '1' });
    });
  }
});

describe('requests about tags', () => {
  for (const operation of operations) {
    const member = memberOf[operation];
    for (const body of [undefined, '', '{}', `{"${member}":null}`, '{"Unknown":1}']) {
      test(`${operation} without ${member}, but ${body ?? 'no body'}, answers 400`, async () => {
        const answer = await api.call('POST', targetOf(shared, operation), { body });
        const message = `Required parameter missing: ${member}`;
        assertError(answer, 400, 'MissingParameterValueException', message);
      });
    }

    for (const body of notObjects) {
      test(`${operation} with a body that is no JSON object answers 400: ${body}`, async () => {
        const answer = await send(api, 'POST', targetOf(shared, operation), body);
        assertError(answer, 400, 'SerializationException', /./);
      });
    }

    test(`${operation} for an unknown vault answers 404 with its ARN`, async () => {
      const vault = freshName();
      const document = { Tags: { a: '1' }, TagKeys: ['a'] };
      const answer = await send(api, 'POST', targetOf(vault, operation), document);
      const message = `Vault not found for ARN: ${arnOf(vault)}`;
      assertError(answer, 404, 'ResourceNotFoundException', message);
    });

    test(`${operation} for an unknown vault judges the body first`, async () => {
      const target = targetOf(freshName(), operation);
      assertError(await send(api, 'POST', target, '{'), 400, 'SerializationException', /./);
      const missing = await send(api, 'POST', target, '{}');
      const message = `Required parameter missing: ${member}`;
      assertError(missing, 400, 'MissingParameterValueException', message);
      const eleven = { Tags: someTags(11), TagKeys: Object.keys(someTags(11)) };
      const refused = await send(api, 'POST', target, eleven);
      assertError(refused, 400, 'InvalidParameterValueException', /./);
    });
  }

  for (const Tags of [['a'], 'a=1', 1, true, { a: 1 }, { a: ['1'] }, { a: {} }]) {
    test(`tags of the wrong JSON type answer 400: ${JSON.stringify(Tags)}`, async () => {
      assertError(await addTags(api, shared, Tags), 400, 'SerializationException', /./);
    });
  }

  for (const TagKeys of ['a', 1, { a: '1' }, [1], ['a', ['b']], [{}]]) {
    test(`keys of the wrong JSON type answer 400: ${JSON.stringify(TagKeys)}`, async () => {
      assertError(await removeTags(api, shared, TagKeys), 400, 'SerializationException', /./);
    });
  }

  for (const operation of ['Add', 'ADD', '', 'list']) {
    test(`the operation "${operation}" answers 400 BadRequest`, async () => {
      const answer = await send(api, 'POST', targetOf(shared, operation), { Tags: { a: '1' } });
      assertError(answer, 400, 'BadRequest', 'Bad request');
    });
  }

  test('listing the tags of an unknown vault answers 404 with its ARN', async () => {
    const vault = freshName();
    const answer = await api.call('GET', `/-/vaults/${vault}/tags`);
    const message = `Vault not found for ARN: ${arnOf(vault)}`;
    assertError(answer, 404, 'ResourceNotFoundException', message);
  });
});

describe('tags belong to one vault', () => {
  test('and not to the next one', async () => {
    const [one, another] = [await createVault(api), await createVault(api)];
    await addTags(api, one, { a: '1' });
    assert.deepEqual(await tagsOf(api, another), {});
  });

  test('and not to one of the same name in another region', async () => {
    using elsewhere = api.as({ region: freshName('far') });
    const vault = await createVault(api);
    await createVault(elsewhere, vault);
    await addTags(api, vault, { a: '1' });
    assert.deepEqual(await tagsOf(elsewhere, vault), {});
    await removeTags(elsewhere, vault, ['a']);
    assert.deepEqual(await tagsOf(api, vault), { a: '1' });
  });

  test('and not to one of the same name in another account', {
    skip: other === undefined && 'there is no second account on this server',
  }, async () => {
    assert.ok(other !== undefined);
    using stranger = api.as({ credentials: other.credentials });
    const vault = await createVault(api);
    await createVault(stranger, vault);
    await addTags(api, vault, { a: '1' });
    assert.deepEqual(await tagsOf(stranger, vault), {});
    const message = `Access denied for account ID: ${account.accountId}`;
    const target = `/${account.accountId}/vaults/${vault}/tags`;
    const attempts = [
      await stranger.call('GET', target),
      await send(stranger, 'POST', `${target}?operation=add`, { Tags: { b: '2' } }),
      await send(stranger, 'POST', `${target}?operation=remove`, { TagKeys: ['a'] }),
    ];
    for (const answer of attempts) assertError(answer, 403, 'AccessDeniedException', message);
    assert.deepEqual(await tagsOf(api, vault), { a: '1' });
  });

  test('and go with it, but stay when it is created again while it is there', async () => {
    const vault = await createVault(api);
    await addTags(api, vault, { a: '1' });
    await createVault(api, vault);
    assert.deepEqual(await tagsOf(api, vault), { a: '1' });
    assertEmpty(await api.call('DELETE', `/-/vaults/${vault}`), 204);
    const message = `Vault not found for ARN: ${arnOf(vault)}`;
    const gone = await api.call('GET', `/-/vaults/${vault}/tags`);
    assertError(gone, 404, 'ResourceNotFoundException', message);
    await createVault(api, vault);
    assert.deepEqual(jsonOf(await api.call('GET', `/-/vaults/${vault}/tags`)), { Tags: {} });
  });
});
