import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AssertionFailed } from '../lib/assert.ts';
import { limits } from '../protocol/limits.ts';
import type { UploadRow } from '../storage/rows.ts';
import {
  abort,
  complete,
  discard,
  expire,
  idleSinceMs,
  isOpen,
  isRemembered,
  rememberedSinceMs,
} from './upload-states.ts';

fc.configureGlobal({ seed: 20_260_131 });

const open: UploadRow = {
  uploadId: 'upload',
  vaultId: 'vault',
  partSizeBytes: 1_048_576,
  description: null,
  createdAtMs: 1000,
  activeAtMs: 2000,
  state: 'Open',
  archive: null,
  endedAtMs: null,
  isDiscarded: false,
};

const archive = { archiveId: 'archive', sizeBytes: 5, treeHash: 'a1'.repeat(32) };

test('an upload that is completed knows its archive, and that was the last thing done to it', () => {
  assert.deepEqual(complete(open, archive, 5000), {
    ...open,
    state: 'Completed',
    archive,
    activeAtMs: 5000,
    endedAtMs: 5000,
  });
});

test('an upload that is aborted or expires has ended now, and its parts are there still', () => {
  assert.deepEqual(abort(open, 5000), { ...open, state: 'Aborted', endedAtMs: 5000 });
  assert.deepEqual(expire(open, 5000), { ...open, state: 'Expired', endedAtMs: 5000 });
});

test('only an upload that ended without an archive is discarded', () => {
  for (const end of [abort, expire]) {
    const ended = end(open, 5000);
    assert.deepEqual(discard(ended), { ...ended, isDiscarded: true });
  }
  for (const needed of [open, complete(open, archive, 5000)]) {
    assert.throws(() => discard(needed), new AssertionFailed('upload upload needs its parts'));
  }
});

test('an upload that ended takes no other state: it never moves backwards', () => {
  const arrow = fc.constantFrom(
    (upload: UploadRow) => complete(upload, archive, 5000),
    (upload: UploadRow) => abort(upload, 5000),
    (upload: UploadRow) => expire(upload, 5000),
  );
  fc.assert(
    fc.property(fc.array(arrow), (path) => {
      let upload = open;
      for (const [index, next] of path.entries()) {
        if (index === 0) upload = next(upload);
        else {
          assert.throws(() => next(upload), new AssertionFailed('upload upload has ended before'));
        }
      }
    }),
  );
});

test('an upload is open until it was idle for as long as uploads may be', () => {
  assert.equal(isOpen(open, 2999, 1000), true);
  assert.equal(isOpen(open, 3000, 1000), false);
  assert.equal(isOpen(abort(open, 2500), 2500, 1000), false);
  assert.equal(isOpen(complete(open, archive, 2500), 2500, 1000), false);
});

test('whoever looks for idle uploads finds just those that are not open any more', () => {
  const times = fc.nat({ max: 10_000 });
  fc.assert(
    fc.property(times, times, times, (activeAtMs, nowMs, expiryMs) => {
      const isIdle = activeAtMs <= idleSinceMs(nowMs, expiryMs);
      assert.equal(isOpen({ ...open, activeAtMs }, nowMs, expiryMs), !isIdle);
    }),
  );
});

test('an end is remembered for a day, and an upload that is open has none', () => {
  const ended = abort(open, 5000);
  const overAtMs = 5000 + limits.uploadRememberedMs;
  assert.equal(isRemembered(ended, overAtMs - 1), true);
  assert.equal(isRemembered(ended, overAtMs), false);
  assert.equal(rememberedSinceMs(overAtMs), 5000);
  assert.equal(isRemembered(open, 5000), false);
});

test('the row that a state is computed from stays as it is', () => {
  const before = structuredClone(open);
  complete(open, archive, 5000);
  discard(abort(open, 5000));
  expire(open, 5000);
  assert.deepEqual(open, before);
});
