import assert from 'node:assert/strict';
import test from 'node:test';
import { pinoLog } from './pino-log.ts';

interface Line {
  level: string;
  time: string;
  event: string;
  reason: { stack: string; cause: { message: string } };
}

function logged(level: 'info' | 'warn' | 'error', work: (log: ReturnType<typeof pinoLog>) => void) {
  const lines: string[] = [];
  work(pinoLog({ level, destination: { write: (line) => lines.push(line) } }));
  return lines.map((line): Line => JSON.parse(line));
}

test('an event is one JSON line with its name, level and ISO time', () => {
  const [line] = logged('info', (log) => log.info('archive.stored', { sizeBytes: 3 }));
  assert.deepEqual(Object.keys(line ?? {}), ['level', 'time', 'event', 'sizeBytes']);
  assert.equal(line?.level, 'info');
  assert.equal(line?.event, 'archive.stored');
  assert.match(line?.time ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('errors are written with stack and cause, whatever the fact is called', () => {
  const cause = new RangeError('disk');
  const [line] = logged('info', (log) =>
    log.error('request.failed', { reason: new Error('store', { cause }) }),
  );
  assert.match(line?.reason.stack ?? '', /pino-log\.test/);
  assert.equal(line?.reason.cause.message, 'disk');
});

test('events below the level are dropped', () => {
  const lines = logged('warn', (log) => {
    log.info('a.b');
    log.warn('c.d');
  });
  assert.deepEqual(
    lines.map((line) => line.event),
    ['c.d'],
  );
});
