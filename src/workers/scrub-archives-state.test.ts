import assert from 'node:assert/strict';
import test from 'node:test';
import {
  anchored,
  completed,
  firstRound,
  nextRound,
  parseScrubState,
  withArchive,
  writeScrubState,
} from './scrub-archives-state.ts';

const archive = { ordinal: 7, sizeBytes: 100, isDamaged: true };

test('a state is read as it was written, at every point of a round', () => {
  const begun = firstRound(1000);
  const underWay = withArchive(begun, archive);
  const over = completed(underWay, 2000);
  for (const state of [begun, underWay, over, nextRound(over, 3000)]) {
    assert.deepEqual(parseScrubState(writeScrubState(state)), state);
  }
});

test('what is no state is none', () => {
  const text = writeScrubState(firstRound(1000));
  const texts = ['', '{', 'null', '[]', '7', '{}', text.replace('1000', '"1000"')];
  for (const wrong of texts) assert.equal(parseScrubState(wrong), undefined, wrong);
});

test('an archive counts for its round', () => {
  const state = withArchive(withArchive(firstRound(0), archive), {
    ordinal: 9,
    sizeBytes: 1,
    isDamaged: false,
  });
  const { ordinal, archivesDone, bytesDone, damagedCount } = state;
  assert.deepEqual([ordinal, archivesDone, bytesDone, damagedCount], [9, 2, 101, 1]);
});

test('the next round begins anew, and remembers when the last one was complete', () => {
  const state = nextRound(completed(withArchive(firstRound(0), archive), 50), 60);
  assert.deepEqual(state, { ...firstRound(60), round: 2, lastCompletedAtMs: 50 });
});

test('a round that begins after now began now', () => {
  assert.equal(anchored(firstRound(1000), 400).startedAtMs, 400);
  assert.equal(anchored(firstRound(1000), 1400).startedAtMs, 1000);
});
