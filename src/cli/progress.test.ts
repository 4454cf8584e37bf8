import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeHost } from './fake-host.ts';
import { Progress } from './progress.ts';

test('a person sees one line that changes, and that is gone at the end', () => {
  const host = Object.assign(new FakeHost(), { isTerminal: true });
  {
    using progress = new Progress(host, { json: true });
    progress.show('1 %');
    progress.show('too soon');
    host.clock.advance(100);
    progress.show('2 %');
  }
  assert.equal(host.err, '\r\x1b[K1 %\r\x1b[K2 %\r\x1b[K');
});

test('a file gets a line every half minute, and none of what is done sooner', () => {
  const host = new FakeHost();
  {
    using progress = new Progress(host, { json: false });
    progress.show('1 %');
    host.clock.advance(30_000);
    progress.show('2 %');
    host.clock.advance(29_999);
    progress.show('3 %');
  }
  assert.equal(host.err, '2 %\n');
});

test('a program that reads JSON errors from a file reads nothing else there', () => {
  const host = new FakeHost();
  using progress = new Progress(host, { json: true });
  host.clock.advance(60_000);
  progress.show('1 %');
  assert.equal(host.err, '');
});
