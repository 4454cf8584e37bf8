import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../lib/log.ts';
import { emptyLog } from './empty-log.ts';

const failing = (errcode: number) => ({
  exec: () => {
    throw Object.assign(new Error('it fails'), { code: 'ERR_SQLITE_ERROR', errcode });
  },
});

test('a log that finds no room in the database is kept, with a warning', () => {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (event: string) => void warnings.push(event) };
  emptyLog(failing(13), log);
  assert.deepEqual(warnings, ['database-log.retained']);
});

test('a log that cannot be copied for another reason is a failure', () => {
  assert.throws(() => emptyLog(failing(10), silentLog), { errcode: 10 });
});
