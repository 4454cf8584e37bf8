import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

const path = join(import.meta.dirname, '../../package-lock.json');
const { packages }: Lock = JSON.parse(readFileSync(path, 'utf8'));

// One that is missing, because the registry did not have it at the time, fails every `npm ci`.
test('the lock file has an entry for each optional dependency of each package', () => {
  const missing = Object.entries(packages).flatMap(([owner, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !Object.keys(packages).some((at) => at.endsWith(`node_modules/${name}`)))
      .map((name) => `${name}, of ${owner}`),
  );
  assert.deepEqual(missing, []);
});

test('the lock file records no download addresses', () => {
  assert.doesNotMatch(readFileSync(path, 'utf8'), /"resolved": "https?:/);
});
