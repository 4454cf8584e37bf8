import assert from 'node:assert/strict';
import test from 'node:test';
import { welcome } from './welcome.ts';

const start = {
  url: 'http://127.0.0.1:8480',
  dataDirectory: '/var/lib/firn',
  accountId: '012345678901',
};
const newKey = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret/with+signs' };

test('a start says where the server answers, for which account, and where the data are', () => {
  const text = welcome({ ...start, newKey: null });
  assert.equal(
    text,
    'Firn answers at http://127.0.0.1:8480\nAccount 012345678901, data in /var/lib/firn\n',
  );
});

test('a first start shows the new key and commands that work as they are pasted', () => {
  const lines = welcome({ ...start, newKey }).split('\n');
  assert.ok(lines.includes('  Access key id      AKIAEXAMPLE'));
  assert.ok(lines.includes('  Secret access key  secret/with+signs'));
  const commands = lines.filter((line) => /^(?:export|aws) /.test(line));
  assert.equal(commands.length, 3);
  assert.match(commands[0] ?? '', /AWS_SECRET_ACCESS_KEY=secret\/with\+signs /);
  for (const command of commands.slice(1)) {
    assert.match(command, /^aws glacier .*--endpoint-url http:\/\/127\.0\.0\.1:8480 /);
  }
});

test('a later start shows no key', () => {
  assert.doesNotMatch(welcome({ ...start, newKey: null }), /AKIA|AWS_/);
});
