import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreErrorCode } from '../errors.ts';
import { isStoreError } from '../errors.ts';
import { fileError } from './faulty-files.ts';
import { readFailure } from './files.ts';

const meanings: Readonly<Record<StoreErrorCode, readonly string[]>> = {
  BlobNotFound: ['ENOENT'],
  BlobCorrupt: [
    ...['EIO', 'EUCLEAN', 'EBADMSG', 'EISDIR', 'ELOOP'],
    ...['EACCES', 'EPERM', 'ENOTDIR', 'ENXIO', 'ESTALE'],
  ],
  StoreUnavailable: ['EMFILE', 'ENFILE', 'ENOMEM'],
  Conflict: [],
  StoreFull: [],
};

for (const [code, causes] of Object.entries(meanings)) {
  for (const cause of causes) {
    test(`a read that fails with ${cause} is ${code}`, () => {
      const failure = readFailure(fileError(cause, 'read'), 'an id');
      assert.ok(isStoreError(failure));
      assert.equal(failure.code, code);
    });
  }
}
