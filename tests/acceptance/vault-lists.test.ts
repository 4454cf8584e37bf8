import assert from 'node:assert/strict';
import test from 'node:test';
import type { Api } from '../support/api.ts';
import { createVault, describeVault, freshName, jsonOf } from '../support/deeds.ts';
import { assertDocument, assertEmpty, assertError } from '../support/expectations.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';

const { api, account } = await openTarget();

interface Page {
  readonly Marker: string | null;
  readonly VaultList: readonly { readonly VaultName: string }[];
}

const arnOf = ({ region }: Api, vault: string) =>
  `arn:aws:glacier:${region}:${account.accountId}:vaults/${vault}`;

/** The account in a region of its own, with vaults of these names in it. */
async function regionWith(names: readonly string[]): Promise<Api> {
  const there = api.as({ region: freshName('list') });
  for (const name of names) await createVault(there, name);
  return there;
}

async function list(there: Api, query: string): Promise<Page> {
  return jsonOf<Page>(await there.call('GET', `/-/vaults${query}`));
}

const namesOf = ({ VaultList }: Page) => VaultList.map(({ VaultName }) => VaultName);

const skip = onlyOwnServer;

test('a region without vaults lists none, and no marker', { skip }, async () => {
  const there = await regionWith([]);
  assertDocument(await there.call('GET', '/-/vaults'), { Marker: null, VaultList: [] });
});

test('a list holds what describing each vault says', { skip }, async () => {
  const there = await regionWith(['b', 'a']);
  assertDocument(await there.call('GET', '/-/vaults'), {
    Marker: null,
    VaultList: [await describeVault(there, 'a'), await describeVault(there, 'b')],
  });
});

test('vaults come in the order of the bytes of their names', { skip }, async () => {
  const names = ['b', 'B', '_x', 'a-b', 'a.b', 'a_b', 'a0', 'aB', '-x', 'ab'];
  const there = await regionWith(names);
  assert.deepEqual(namesOf(await list(there, '')), [...names].sort());
});

test('a page holds ten vaults, and the marker leads through all of them', { skip }, async () => {
  const names = Array.from({ length: 23 }, (_, index) => `v${String(index).padStart(2, '0')}`);
  const there = await regionWith(names.toReversed());
  const found: string[][] = [];
  let query = '';
  for (;;) {
    const page = await list(there, query);
    found.push(namesOf(page));
    if (page.Marker === null) break;
    assert.equal(page.Marker, arnOf(there, namesOf(page).at(-1) ?? ''));
    query = `?marker=${encodeURIComponent(page.Marker)}`;
  }
  assert.deepEqual(
    found.map((page) => page.length),
    [10, 10, 3],
  );
  assert.deepEqual(found.flat(), names);
});

test('a limit of 1 to 10 is kept', { skip }, async () => {
  const names = Array.from({ length: 11 }, (_, index) => `v${String(index).padStart(2, '0')}`);
  const there = await regionWith(names);
  for (const limit of [1, 3, 9, 10]) {
    const page = await list(there, `?limit=${limit}`);
    assert.deepEqual(namesOf(page), names.slice(0, limit));
    assert.equal(page.Marker, arnOf(there, names[limit - 1] ?? ''));
  }
});

test('a limit above 10 gives 10', { skip }, async () => {
  const there = await regionWith(Array.from({ length: 11 }, (_, index) => `v${index}`));
  for (const limit of [11, 1000, 99_999_999_999]) {
    assert.equal((await list(there, `?limit=${limit}`)).VaultList.length, 10);
  }
});

test('a last page that is just full has no marker', { skip }, async () => {
  const there = await regionWith(['a', 'b', 'c', 'd']);
  const marker = encodeURIComponent(arnOf(there, 'b'));
  const page = await list(there, `?limit=2&marker=${marker}`);
  assert.deepEqual(namesOf(page), ['c', 'd']);
  assert.equal(page.Marker, null);
});

test('a marker leads on behind a vault that was deleted meanwhile', { skip }, async () => {
  const there = await regionWith(['a', 'b', 'c']);
  const { Marker } = await list(there, '?limit=2');
  assertEmpty(await there.call('DELETE', '/-/vaults/b'), 204);
  const page = await list(there, `?marker=${encodeURIComponent(Marker ?? '')}`);
  assert.deepEqual(namesOf(page), ['c']);
});

test('a marker that is not percent-encoded works as well', { skip }, async () => {
  const there = await regionWith(['a', 'b']);
  assert.deepEqual(namesOf(await list(there, `?marker=${arnOf(there, 'a')}`)), ['b']);
});

test('an empty marker starts at the beginning', { skip }, async () => {
  const there = await regionWith(['a', 'b']);
  assert.deepEqual(namesOf(await list(there, '?marker=')), ['a', 'b']);
});

for (const limit of ['0', '-1', 'ten', '1.5', '', '+3', '0x5', '1e1']) {
  test(`a limit of "${limit}" answers 400`, async () => {
    const answer = await api.call('GET', `/-/vaults?limit=${encodeURIComponent(limit)}`);
    assertError(answer, 400, 'InvalidParameterValueException', `Invalid limit: ${limit}`);
  });
}

const badMarkers: readonly string[] = [
  'some-vault',
  `arn:aws:glacier:other-region:${account.accountId}:vaults/v`,
  `arn:aws:glacier:${api.region}:999999999999:vaults/v`,
  `arn:aws:glacier:${api.region}:${account.accountId}:vaults/`,
  `arn:aws:s3:${api.region}:${account.accountId}:vaults/v`,
];

for (const [index, marker] of badMarkers.entries()) {
  const shown = index === 0 ? marker : ['', 'region', 'account', 'no name', 'service'][index];
  test(`a marker that is no ARN of a vault of this list answers 400: ${shown}`, async () => {
    const answer = await api.call('GET', `/-/vaults?marker=${encodeURIComponent(marker)}`);
    assertError(answer, 400, 'InvalidParameterValueException', `Invalid marker: ${marker}`);
  });
}
