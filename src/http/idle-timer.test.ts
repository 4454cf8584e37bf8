import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SimulatedClock } from '../lib/clock.ts';
import { IdleTimers } from './idle-timer.ts';

function trial() {
  const clock = new SimulatedClock();
  const timers = new IdleTimers({ clock, idleMs: 1000 });
  const idle: string[] = [];
  const pass = async (ms: number) => {
    clock.advance(ms);
    await turn();
  };
  return {
    clock,
    timers,
    idle,
    pass,
    create: (name: string) => timers.create(() => idle.push(name)),
  };
}

test('each wait is noticed when it has lasted as long as it may, and once', async () => {
  const { idle, pass, create } = trial();
  create('first').startWaiting();
  await pass(400);
  create('second').startWaiting();
  await pass(599);
  assert.deepEqual(idle, []);
  await pass(1);
  assert.deepEqual(idle, ['first']);
  await pass(399);
  assert.deepEqual(idle, ['first']);
  await pass(1);
  assert.deepEqual(idle, ['first', 'second']);
  await pass(10_000);
  assert.deepEqual(idle, ['first', 'second']);
});

test('a wait that has ended is not noticed, and a new one counts from its own start', async () => {
  const { idle, pass, create } = trial();
  const timer = create('timer');
  timer.startWaiting();
  await pass(900);
  timer.endWaiting();
  await pass(500);
  timer.startWaiting();
  await pass(900);
  timer.startWaiting();
  await pass(999);
  assert.deepEqual(idle, []);
  await pass(1);
  assert.deepEqual(idle, ['timer']);
});

test('timers that were stopped notice nothing', async () => {
  const { timers, idle, pass, create } = trial();
  create('before').startWaiting();
  timers.stop();
  create('after').startWaiting();
  await pass(10_000);
  assert.deepEqual(idle, []);
});

test('a clock that is set to another time ends no wait, and prolongs none', async () => {
  const { clock, idle, pass, create } = trial();
  create('first').startWaiting();
  clock.jump(1_000_000);
  await pass(999);
  assert.deepEqual(idle, []);
  clock.jump(-2_000_000);
  await pass(1);
  assert.deepEqual(idle, ['first']);
});
