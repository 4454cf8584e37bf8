import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RecordedLog } from '../../../tests/support/recorded-log.ts';
import { sampleBytes } from '../blob-specimen.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { fileError } from './faulty-files.ts';
import { Layout } from './files.ts';

describe('prepareDirectories', () => {
  test('what a run had only named when it died is durable once the next one has opened', async () => {
    await using specimen = await DiskSpecimen.simulated();
    specimen.before = (deed) => {
      // Dies between the rename and what follows.
      if (deed === 'syncDirectory' || deed === 'unlink') throw fileError('EIO', deed);
    };
    await assert.rejects(specimen.snapshots.write(once(), 1));
    specimen.before = () => {};
    await specimen.reopen();
    const listed = await specimen.snapshots.list();
    assert.equal(listed.length, 1);
    await specimen.crash();
    assert.deepEqual(await specimen.snapshots.list(), listed);
  });

  test('what cannot be swept is told, and does not stand in the way', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const log = new RecordedLog();
    specimen.log = log;
    const { incoming } = new Layout(specimen.directory);
    for (const name of ['a', 'b']) await specimen.files.create(join(incoming, name));
    specimen.before = (deed, path) => {
      if (deed === 'unlink' && path.endsWith('/a')) throw fileError('EPERM', deed);
    };
    await specimen.reopen();
    assert.deepEqual(log.names('warn'), ['incoming.kept']);
    assert.deepEqual(await Array.fromAsync(specimen.files.list(incoming)), ['a']);
  });

  test('a parent that may not be looked into is passed over', async () => {
    await using specimen = await DiskSpecimen.simulated();
    specimen.before = (deed, path) => {
      if (deed === 'syncDirectory' && path === '/') throw fileError('EACCES', deed);
    };
    await specimen.reopen();
  });
});

async function* once() {
  yield sampleBytes(100);
}
