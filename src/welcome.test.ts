import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { type Start, welcome } from './welcome.ts';

const later: Start = {
  url: 'http://127.0.0.1:8480',
  dataDirectory: '/var/lib/firn',
  accountId: '012345678901',
  isNew: false,
  unseenKey: null,
};
const unseenKey = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret/with+signs' };

function commandsOf(text: string): string[] {
  return text.split('\n').filter((line) => /^(?:export|aws) /.test(line));
}

test('a start says where the server answers, for which account, and where the data are', () => {
  assert.equal(
    welcome(later),
    'Firn answers at http://127.0.0.1:8480\nAccount 012345678901, data in /var/lib/firn\n',
  );
});

test('a first start shows the new key and commands that work as they are pasted', () => {
  const text = welcome({ ...later, isNew: true, unseenKey });
  const lines = text.split('\n');
  assert.ok(lines.includes('  Access key id      AKIAEXAMPLE'));
  assert.ok(lines.includes('  Secret access key  secret/with+signs'));
  const [credentials = '', ...calls] = commandsOf(text);
  assert.match(credentials, /AWS_SECRET_ACCESS_KEY=secret\/with\+signs /);
  assert.equal(calls.length, 2);
  for (const call of calls) {
    assert.match(call, /^aws glacier .*--endpoint-url 'http:\/\/127\.0\.0\.1:8480' /);
  }
  const [, file = ''] = /--body '([^']+)'/.exec(calls[1] ?? '') ?? [];
  assert.ok(existsSync(file), file);
});

test('a first start with a key from the settings names it, and does not show it', () => {
  const [credentials = ''] = commandsOf(welcome({ ...later, isNew: true }));
  assert.match(credentials, /AWS_SECRET_ACCESS_KEY="\$FIRN_ROOT_SECRET_ACCESS_KEY" /);
});

test('a later start shows no key', () => {
  assert.doesNotMatch(welcome(later), /AKIA|AWS_/);
});

test('commands for a server that listens on every address go to this machine', () => {
  for (const host of ['0.0.0.0', '[::]']) {
    const text = welcome({ ...later, url: `https://${host}:8480`, isNew: true });
    assert.match(text, /--endpoint-url 'https:\/\/localhost:8480' /);
  }
});
