import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { handlers } from '../../src/operations/index.ts';
import { type OperationName, operationNames, rowOf } from '../../src/protocol/operations.ts';
import { shapes } from '../../src/protocol/shapes/all.ts';
import type { Members, Type } from '../../src/protocol/shapes/shape.ts';
import { type PublishedMembers, type PublishedType, publishedOperations } from './sdk-model.ts';
import { root } from './source-files.ts';

const published = publishedOperations();

/** Members that belong to select jobs, which this version refuses. The list only shrinks. */
const unbuiltMembers: readonly string[] = ['jobOutputPath', 'outputLocation', 'selectParameters'];

/** Where the handler of each operation is found. */
const folders: Readonly<Record<string, readonly OperationName[]>> = {
  vaults: ['CreateVault', 'DescribeVault', 'ListVaults', 'DeleteVault'],
  archives: ['UploadArchive', 'DeleteArchive'],
  uploads: [
    'InitiateMultipartUpload',
    'UploadMultipartPart',
    'CompleteMultipartUpload',
    'AbortMultipartUpload',
    'ListMultipartUploads',
    'ListParts',
  ],
  jobs: ['InitiateJob', 'DescribeJob', 'ListJobs', 'GetJobOutput'],
  'access-policy': ['SetVaultAccessPolicy', 'GetVaultAccessPolicy', 'DeleteVaultAccessPolicy'],
  'vault-lock': ['InitiateVaultLock', 'CompleteVaultLock', 'AbortVaultLock', 'GetVaultLock'],
  tags: ['AddTagsToVault', 'ListTagsForVault', 'RemoveTagsFromVault'],
  notifications: ['SetVaultNotifications', 'GetVaultNotifications', 'DeleteVaultNotifications'],
  'retrieval-policy': ['SetDataRetrievalPolicy', 'GetDataRetrievalPolicy'],
  capacity: ['PurchaseProvisionedCapacity', 'ListProvisionedCapacity'],
};

/** Handlers without a test beside them, each with the reason. The list only shrinks. */
const untested: Readonly<Partial<Record<OperationName, string>>> = {};

test('the table says what AWS publishes', () => {
  const theirs = new Map([...published].map(([name, { http }]) => [name, http]));
  const ours = new Map(
    operationNames.map((name) => [name, `${rowOf(name).http} ${rowOf(name).ok}`]),
  );
  assert.deepEqual(sorted(ours), sorted(theirs));
  assert.equal(ours.size, 33);
});

test('every operation has its shapes and its handler', () => {
  assert.deepEqual(Object.keys(shapes).sort(), [...operationNames].sort());
  assert.deepEqual(Object.keys(handlers).sort(), [...operationNames].sort());
});

for (const name of operationNames) {
  test(`${name}: its members are those that AWS publishes, in their places on the wire`, () => {
    const { input, output } = shapes[name];
    const theirs = published.get(name);
    assert.deepEqual(ourMembers(input), withoutUnbuilt(theirs?.input ?? {}));
    assert.deepEqual(ourMembers(output), withoutUnbuilt(theirs?.output ?? {}));
  });

  test(`${name}: it has a handler where one looks for it, and a test beside it`, () => {
    const handler = handlerPath(name);
    assert.ok(existsSync(join(root, handler)), `${handler} is missing`);
    const beside = handler.replace(/\.ts$/, '.test.ts');
    const isTested = existsSync(join(root, beside));
    const reason = untested[name];
    assert.ok(isTested || reason !== undefined, `${beside} is missing, without a reason`);
    assert.ok(!isTested || reason === undefined, `${beside} is there: take ${name} off the list`);
  });
}

test('a member that we call unmodelled is not in the model', () => {
  for (const name of operationNames) {
    const members: Members = shapes[name].input;
    const unmodelled = Object.keys(members).filter((key) => members[key]?.unmodelled === true);
    for (const key of unmodelled) assert.ok(!(key in (published.get(name)?.input ?? {})), key);
  }
});

test('every operation has its section in the reference', () => {
  const page = readFileSync(join(root, 'docs/reference/operations.md'), 'utf8');
  const missing = operationNames.filter((name) => !page.includes(`\n### ${name}\n`));
  assert.deepEqual(missing, []);
});

test('every operation has one folder', () => {
  assert.deepEqual(Object.values(folders).flat().sort(), [...operationNames].sort());
});

function handlerPath(name: OperationName): string {
  const folder = Object.keys(folders).find((key) => folders[key]?.includes(name)) ?? '';
  const file = name.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  return `src/operations/${folder}/${file}.ts`;
}

/** Our members in the form of the published ones, without those that AWS does not model. */
function ourMembers(members: Members): PublishedMembers {
  const modelled = Object.entries(members).filter(([, member]) => member.unmodelled !== true);
  return Object.fromEntries(
    modelled.map(([key, { in: place, name, type }]) => [
      key,
      { at: `${place} ${name}`, type: ourType(type) },
    ]),
  );
}

function ourType(type: Type): PublishedType {
  // The model knows one kind of number.
  if (type === 'long') return 'integer';
  if (typeof type === 'string') return type;
  if ('list' in type) return { list: ourType(type.list) };
  if ('map' in type) return { map: type.map };
  return { structure: ourMembers(type.structure) };
}

function withoutUnbuilt(members: PublishedMembers): PublishedMembers {
  const kept = Object.entries(members).filter(([key]) => !unbuiltMembers.includes(key));
  return Object.fromEntries(
    kept.map(([key, { at, type }]) => [key, { at, type: typeWithoutUnbuilt(type) }]),
  );
}

function typeWithoutUnbuilt(type: PublishedType): PublishedType {
  if (typeof type === 'string' || 'map' in type) return type;
  if ('list' in type) return { list: typeWithoutUnbuilt(type.list) };
  return { structure: withoutUnbuilt(type.structure) };
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
