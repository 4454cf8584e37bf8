import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import {
  endpointPath,
  newChallenge,
  proofOf,
  readEndpoint,
  removeEndpoint,
  writeEndpoint,
} from './admin-endpoint.ts';

const endpoint = { url: 'http://127.0.0.1:4000', token: 'a token', pid: 17 };

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'firn-endpoint-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('an endpoint is read as it was written, from a file that only its owner can read', (t) => {
  const directory = directoryFor(t);
  const path = endpointPath(directory);
  writeFileSync(path, 'of an earlier server', { mode: 0o644 });
  writeEndpoint(path, endpoint);
  assert.deepEqual(readEndpoint(path), endpoint);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ['server.admin']);
});

test('a file that is absent, or no endpoint, tells of none', (t) => {
  const path = endpointPath(directoryFor(t));
  assert.equal(readEndpoint(path), undefined);
  for (const text of ['', '{"url": "http://127.0.0.1:1"', '[]', 'null', '{"url": 1}']) {
    writeFileSync(path, text);
    assert.equal(readEndpoint(path), undefined, text);
  }
});

test('a server takes away its own file, and not the one of a server that came after it', (t) => {
  const path = endpointPath(directoryFor(t));
  writeEndpoint(path, endpoint);
  removeEndpoint(path, { ...endpoint, token: 'of the one before' });
  assert.deepEqual(readEndpoint(path), endpoint);
  removeEndpoint(path, endpoint);
  assert.equal(readEndpoint(path), undefined);
  removeEndpoint(path, endpoint);
});

test('a proof depends on the token and on the challenge', () => {
  const challenge = newChallenge();
  assert.match(challenge, /^[0-9a-f]{64}$/);
  assert.notEqual(challenge, newChallenge());
  const proof = proofOf('a token', challenge);
  assert.match(proof, /^[0-9a-f]{64}$/);
  assert.equal(proof, proofOf('a token', challenge));
  assert.notEqual(proof, proofOf('another', challenge));
  assert.notEqual(proof, proofOf('a token', newChallenge()));
});
