import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Bell } from './bell.ts';

fc.configureGlobal({ seed: 20_260_131 });

const goingOn = new AbortController().signal;

/** Whether `wait` has resolved once all that is pending has run. */
async function isOver(wait: Promise<void>): Promise<boolean> {
  let isResolved = false;
  void wait.then(() => {
    isResolved = true;
  });
  await new Promise(setImmediate);
  return isResolved;
}

test('whoever waits is woken by a ring, and not before', async () => {
  const bell = new Bell();
  const wait = bell.wait(goingOn);
  assert.equal(await isOver(wait), false);
  bell.ring();
  await wait;
});

test('a ring that nobody heard wakes the next to wait, once', async () => {
  const bell = new Bell();
  bell.ring();
  bell.ring();
  await bell.wait(goingOn);
  assert.equal(await isOver(bell.wait(goingOn)), false);
});

test('a ring that was heard is not heard again', async () => {
  const bell = new Bell();
  const wait = bell.wait(goingOn);
  bell.ring();
  await wait;
  assert.equal(await isOver(bell.wait(goingOn)), false);
});

test('waiting ends with the reason of its signal', async () => {
  const bell = new Bell();
  const reason = new Error('stopped');
  const stopping = new AbortController();
  const wait = bell.wait(stopping.signal);
  stopping.abort(reason);
  await assert.rejects(wait, reason);
  await assert.rejects(bell.wait(stopping.signal), reason);
});

test('a ring after a wait was given up is kept for the next to wait', async () => {
  const bell = new Bell();
  const stopping = new AbortController();
  const wait = bell.wait(stopping.signal);
  stopping.abort(new Error('stopped'));
  await assert.rejects(wait);
  bell.ring();
  await bell.wait(goingOn);
});

test('no ring is lost, whatever is given up in between', async () => {
  const deeds = fc.array(fc.constantFrom('ring', 'wait', 'give up'), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(deeds, async (history) => {
      const bell = new Bell();
      let isRung = false;
      for (const deed of history) {
        if (deed === 'ring') {
          bell.ring();
          isRung = true;
          continue;
        }
        const stopping = new AbortController();
        if (deed === 'give up') stopping.abort(new Error('given up'));
        const wait = bell.wait(stopping.signal).catch(() => undefined);
        if (deed === 'wait') {
          assert.equal(await isOver(wait), isRung);
          stopping.abort(new Error('enough'));
          isRung = false;
        }
      }
    }),
  );
});
