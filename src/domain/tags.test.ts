import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { openDomain, photos, videos } from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { GlacierError } from '../protocol/errors.ts';
import { StoreError } from '../storage/errors.ts';
import { Tags } from './tags.ts';

fc.configureGlobal({ seed: 20_260_131 });

const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);
const vaultNotFound = new GlacierError(
  'ResourceNotFoundException',
  'Vault not found for ARN: arn:aws:glacier:us-east-1:012345678901:vaults/videos',
);
const only = 'only letters, digits, spaces and _ . / = + - @ : are allowed';

/** That many tags. */
const some = (count: number, prefix = 'key') =>
  new Map(Array.from({ length: count }, (_, index) => [`${prefix}-${index}`, `${index}`]));

test('tags are listed with what was added, and the last value of each key', async () => {
  await using domain = await openDomain();
  assert.deepEqual(await domain.tags.list(photos), new Map());
  await domain.tags.add(photos, new Map(Object.entries({ team: 'ice', Team: 'snow', empty: '' })));
  await domain.tags.add(photos, new Map(Object.entries({ team: 'firn', more: 'x' })));
  assert.deepEqual(Object.fromEntries(await domain.tags.list(photos)), {
    team: 'firn',
    Team: 'snow',
    empty: '',
    more: 'x',
  });
});

test('a vault’s tags are its own, and go with it', async () => {
  await using domain = await openDomain();
  await domain.vaults.create(videos);
  await domain.tags.add(photos, some(1));
  assert.deepEqual(await domain.tags.list(videos), new Map());
  await domain.vaults.remove(photos);
  await domain.vaults.create(photos);
  assert.deepEqual(await domain.tags.list(photos), new Map());
});

test('a vault that is not there has no tags to add, list or remove', async () => {
  await using domain = await openDomain();
  await assert.rejects(domain.tags.add(videos, some(1)), vaultNotFound);
  await assert.rejects(domain.tags.list(videos), vaultNotFound);
  await assert.rejects(domain.tags.remove(videos, ['key']), vaultNotFound);
});

test('what is asked for is judged before the vault is looked for', async () => {
  await using domain = await openDomain();
  const none = invalid('Invalid number of tags, which must be 1 to 10: 0');
  await assert.rejects(domain.tags.add(videos, new Map()), none);
  const noKeys = invalid('Invalid number of tag keys, which must be 1 to 10: 0');
  await assert.rejects(domain.tags.remove(videos, []), noKeys);
});

test('one to ten tags are added or removed at once', async () => {
  await using domain = await openDomain();
  const many = invalid('Invalid number of tags, which must be 1 to 10: 11');
  await assert.rejects(domain.tags.add(photos, some(11)), many);
  await domain.tags.add(photos, some(10));
  const keys = [...some(11).keys()];
  const manyKeys = invalid('Invalid number of tag keys, which must be 1 to 10: 11');
  await assert.rejects(domain.tags.remove(photos, keys), manyKeys);
  assert.equal((await domain.tags.list(photos)).size, 10);
  await domain.tags.remove(photos, keys.slice(0, 10));
  assert.equal((await domain.tags.list(photos)).size, 0);
});

test('keys that no tag has are removed, too', async () => {
  await using domain = await openDomain();
  await domain.tags.add(photos, some(2));
  await domain.tags.remove(photos, ['never', 'key-1', 'KEY-0']);
  await domain.tags.remove(photos, ['key-1']);
  assert.deepEqual(await domain.tags.list(photos), some(1));
});

const letter = '\u{1d4b3}';

test('a key has 1 to 128 characters, and a value up to 256, however many bytes those are', async () => {
  await using domain = await openDomain();
  const good = new Map([[letter.repeat(128), letter.repeat(256)]]);
  await domain.tags.add(photos, good);
  assert.deepEqual(await domain.tags.list(photos), good);
  const rule = 'Invalid tag key, which must have 1 to 128 characters: ';
  for (const key of ['', letter.repeat(129), 'k'.repeat(129)]) {
    await assert.rejects(domain.tags.add(photos, new Map([[key, '']])), invalid(rule + key));
    await assert.rejects(domain.tags.remove(photos, [key]), invalid(rule + key));
  }
  await assert.rejects(
    domain.tags.add(photos, new Map([['team', letter.repeat(257)]])),
    invalid('Invalid value of the tag team: it has more than 256 characters'),
  );
});

test('keys and values are of letters, digits, spaces and some signs', async () => {
  await using domain = await openDomain();
  for (const text of ['aZ 09_./=+-@:', 'ünïcödé 漢字', '٣', 'a\u00a0b']) {
    const tags = new Map([[text, text]]);
    await domain.tags.add(photos, tags);
    await domain.tags.remove(photos, [text]);
  }
  for (const text of ['a,b', 'a\tb', 'a\nb', 'a\n', '\0', '\u{1f600}', '\ud835', '*', 'a"b']) {
    const badKey = invalid(`Invalid tag key ${text}: ${only}`);
    await assert.rejects(domain.tags.add(photos, new Map([[text, 'v']])), badKey);
    await assert.rejects(domain.tags.remove(photos, [text]), badKey);
    const badValue = invalid(`Invalid value of the tag k: ${only}`);
    await assert.rejects(domain.tags.add(photos, new Map([['k', text]])), badValue);
  }
  assert.deepEqual(await domain.tags.list(photos), new Map());
});

test('the prefix of AWS is reserved, in upper and lower case', async () => {
  await using domain = await openDomain();
  for (const key of ['aws:', 'aws:team', 'AWS:team', 'Aws:x']) {
    const refused = invalid(`Invalid tag key ${key}: keys that start with aws: are reserved`);
    await assert.rejects(domain.tags.add(photos, new Map([[key, 'v']])), refused);
  }
  await domain.tags.add(photos, new Map(Object.entries({ aws: 'aws:x', 'my:aws:': 'x' })));
});

test('tags are added all or none', async () => {
  await using domain = await openDomain();
  const tags = new Map(Object.entries({ good: 'tag', 'b*d': 'tag' }));
  await assert.rejects(domain.tags.add(photos, tags), /Invalid tag key b\*d/);
  assert.deepEqual(await domain.tags.list(photos), new Map());
});

test('a vault has no more tags than the limit; those that it has may change', async () => {
  await using domain = await openDomain({ vaultTagsMax: 3 });
  const full = (count: number) =>
    new GlacierError(
      'LimitExceededException',
      `The vault would have ${count} tags, and may have 3 at most.`,
    );
  await assert.rejects(domain.tags.add(photos, some(4)), full(4));
  await domain.tags.add(photos, some(2));
  await assert.rejects(domain.tags.add(photos, some(2, 'more')), full(4));
  await domain.tags.add(photos, some(3));
  await assert.rejects(domain.tags.add(photos, some(4)), full(4));
  await domain.tags.add(photos, new Map([...some(3).keys()].map((key) => [key, 'new'])));
  const lower = new Tags({ ...domain, vaultTagsMax: 1 });
  await lower.add(photos, new Map([['key-0', 'newer']]));
  await assert.rejects(lower.add(photos, new Map([['other', '']])), /would have 4 tags/);
  assert.deepEqual([...(await domain.tags.list(photos)).values()], ['newer', 'new', 'new']);
});

test('whoever adds at the same time, there are never more tags than the limit', async () => {
  await using domain = await openDomain({ vaultTagsMax: 10 });
  const adding = ['a', 'b', 'c', 'd'].map((prefix) => domain.tags.add(photos, some(5, prefix)));
  const outcomes = await Promise.allSettled(adding);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2);
  assert.equal((await domain.tags.list(photos)).size, 10);
});

test('a store that is full takes no tags, and lets them go', async () => {
  await using domain = await openDomain();
  await domain.tags.add(photos, some(1));
  const blobs = faulty(domain.blobs);
  const tags = new Tags({ ...domain, blobs: blobs.it });
  blobs.failNext('checkRoom', new StoreError('StoreFull', 'full'));
  await assert.rejects(tags.add(photos, some(2)), /There is no room for new data/);
  blobs.failNext('checkRoom', new StoreError('StoreFull', 'full'));
  await tags.remove(photos, ['key-0']);
  assert.deepEqual(await tags.list(photos), new Map());
});

test('tags are what was added minus what was removed, whatever the order', async () => {
  await using domain = await openDomain();
  const key = fc.constantFrom('a', 'b', 'c', 'A', 'é', '__proto__', 'constructor');
  const add = fc.record({ put: fc.array(fc.tuple(key, fc.constantFrom('', '1', '2')), one) });
  const remove = fc.record({ drop: fc.array(key, one) });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(add, remove)), async (deeds) => {
      await domain.vaults.remove(photos);
      await domain.vaults.create(photos);
      const expected = new Map<string, string>();
      for (const deed of deeds) {
        if ('put' in deed) {
          await domain.tags.add(photos, new Map(deed.put));
          for (const [name, value] of deed.put) expected.set(name, value);
        } else {
          await domain.tags.remove(photos, deed.drop);
          for (const name of deed.drop) expected.delete(name);
        }
      }
      assert.deepEqual(sorted(await domain.tags.list(photos)), sorted(expected));
    }),
    { numRuns: 50 },
  );
});

const one = { minLength: 1, maxLength: 10 };

function sorted(tags: ReadonlyMap<string, string>): [string, string][] {
  return [...tags].sort(([a], [b]) => (a < b ? -1 : 1));
}
