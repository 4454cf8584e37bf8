import assert from 'node:assert/strict';
import test from 'node:test';
import { parseConfigFile } from './config-file.ts';
import { BadValue } from './values.ts';

test('lines of NAME=value may have comments, blanks and quotes', () => {
  const text = '# Firn\r\n\r\nFIRN_LISTEN = "127.0.0.1:1" \nFIRN_DATA_DIR=/a b/c=d\n';
  assert.deepEqual(Object.fromEntries(parseConfigFile(text)), {
    FIRN_LISTEN: '127.0.0.1:1',
    FIRN_DATA_DIR: '/a b/c=d',
  });
});

test('a JSON object gives texts, numbers and booleans', () => {
  const text = '\n{"FIRN_ACCOUNT_ID": 123456789012, "FIRN_INSECURE_LISTEN": true, "A": "b"}';
  assert.deepEqual(Object.fromEntries(parseConfigFile(text)), {
    FIRN_ACCOUNT_ID: '123456789012',
    FIRN_INSECURE_LISTEN: 'yes',
    A: 'b',
  });
});

test('a file that is neither is refused, and not quoted', () => {
  assert.throws(() => parseConfigFile('FIRN_LISTEN'), /line 1/);
  assert.throws(() => parseConfigFile('A=1\nA=2'), BadValue);
  assert.throws(() => parseConfigFile('{"A": [1]}'), BadValue);
  assert.throws(
    () => parseConfigFile('{"secret": hunter2}'),
    (error: Error) => error instanceof BadValue && !error.message.includes('hunter2'),
  );
});

test('a comment behind a value is refused, because it would become part of it', () => {
  assert.throws(() => parseConfigFile('FIRN_DATA_DIR=/srv/firn # ours'), {
    message: 'has a comment behind the value of FIRN_DATA_DIR: put it on a line of its own',
  });
  assert.equal(parseConfigFile('FIRN_DATA_DIR="/srv/a # b"').get('FIRN_DATA_DIR'), '/srv/a # b');
});
