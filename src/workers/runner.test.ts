import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as settled } from 'node:timers/promises';
import { RecordedLog } from '../../tests/support/recorded-log.ts';
import { SimulatedClock } from '../lib/clock.ts';
import { WorkerRunner } from './runner.ts';
import type { Worker } from './worker.ts';

type Step = (signal: AbortSignal) => Promise<'busy' | 'idle'>;

/** Does one step of the script after the other; with none left it is idle until it is stopped. */
class ScriptedWorker implements Worker {
  readonly name = 'scripted';
  readonly #script: Step[];
  stepCount = 0;
  wakeCount = 0;

  constructor(script: readonly Step[]) {
    this.#script = [...script];
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const step = this.#script.shift();
    if (step === undefined) return 'idle';
    this.stepCount += 1;
    return step(signal);
  }

  async wake(signal: AbortSignal): Promise<void> {
    this.wakeCount += 1;
    if (this.#script.length > 0) return;
    await aborted(signal);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

const busy: Step = async () => 'busy';
const idle: Step = async () => 'idle';
const failure = new Error('the disk is slow');
const failing: Step = async () => {
  throw failure;
};

function running(...workers: readonly Worker[]) {
  const clock = new SimulatedClock();
  const log = new RecordedLog();
  const runner = new WorkerRunner({ workers, clock, log });
  runner.start();
  return { clock, log, runner };
}

test('a worker is called again as long as it is busy, and after it woke', async () => {
  const worker = new ScriptedWorker([busy, busy, idle, busy, idle]);
  const { runner, log } = running(worker);
  await settled();
  assert.equal(worker.stepCount, 5);
  assert.equal(worker.wakeCount, 2);
  await runner.stop();
  assert.deepEqual(log.events, []);
});

test('a step that fails is logged and tried again after a second, two, four, up to a minute', async () => {
  const worker = new ScriptedWorker(Array.from({ length: 8 }, () => failing));
  const { clock, log, runner } = running(worker);
  const pauses = [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000);
  for (const [index, pauseMs] of pauses.entries()) {
    await settled();
    assert.equal(worker.stepCount, index + 1);
    const facts = { worker: 'scripted', error: failure, pauseMs };
    assert.deepEqual(log.events.at(-1), { level: 'error', event: 'worker.failed', facts });
    clock.advance(pauseMs - 1);
    await settled();
    assert.equal(worker.stepCount, index + 1);
    clock.advance(1);
  }
  await runner.stop();
});

test('after a step that worked the pauses begin anew', async () => {
  const worker = new ScriptedWorker([failing, failing, busy, failing]);
  const { clock, log, runner } = running(worker);
  for (const pauseMs of [1000, 2000, 0]) {
    await settled();
    clock.advance(pauseMs);
  }
  await settled();
  assert.deepEqual(
    log.events.map(({ facts }) => facts['pauseMs']),
    [1000, 2000, 1000],
  );
  await runner.stop();
});

test('a worker that cannot wait is paused as one that cannot work', async () => {
  const worker = new ScriptedWorker([idle, busy]);
  worker.wake = async () => {
    throw failure;
  };
  const { clock, log, runner } = running(worker);
  await settled();
  assert.equal(worker.stepCount, 1);
  clock.advance(1000);
  await settled();
  assert.equal(worker.stepCount, 2);
  assert.deepEqual(log.names('error'), ['worker.failed', 'worker.failed']);
  await runner.stop();
});

test('a worker that fails does not hold up another', async () => {
  const other = new ScriptedWorker([busy, busy, busy]);
  const { runner } = running(new ScriptedWorker([failing]), other);
  await settled();
  assert.equal(other.stepCount, 3);
  await runner.stop();
});

test('stopping waits for the step under way, and takes no other', async () => {
  const { promise: work, resolve: finishWork } = Promise.withResolvers<'busy'>();
  const worker = new ScriptedWorker([() => work, busy]);
  const { runner } = running(worker);
  await settled();
  let isStopped = false;
  const stop = runner.stop().then(() => {
    isStopped = true;
  });
  await settled();
  assert.equal(isStopped, false);
  finishWork('busy');
  await stop;
  assert.equal(worker.stepCount, 1);
});

test('a step that ends because of the stop is no failure', async () => {
  const worker = new ScriptedWorker([aborted]);
  const { runner, log } = running(worker);
  await settled();
  await runner.stop();
  assert.deepEqual(log.events, []);
});

test('stopping ends a pause at once', async () => {
  const { runner } = running(new ScriptedWorker([failing]));
  await settled();
  await runner.stop();
});

test('a runner that never started, or has stopped, can be stopped', async () => {
  const runner = new WorkerRunner({
    workers: [new ScriptedWorker([])],
    clock: new SimulatedClock(),
    log: new RecordedLog(),
  });
  await runner.stop();
  await runner.stop();
});

test('the state of each worker is told, and what went wrong last', async () => {
  const workers = [new ScriptedWorker([failing, failing, idle, busy]), new ScriptedWorker([])];
  const { clock, runner } = running(...workers);
  const failedAtMs = clock.now();
  const failed = { name: 'scripted', lastError: 'the disk is slow' };
  const states = () => runner.states;
  await settled();
  assert.deepEqual(states(), [
    { ...failed, state: 'failing', lastErrorAtMs: failedAtMs },
    { name: 'scripted', state: 'waiting', lastError: null, lastErrorAtMs: null },
  ]);
  clock.advance(1000);
  await settled();
  assert.equal(states()[0]?.state, 'failing');
  clock.advance(2000);
  await settled();
  assert.deepEqual(states()[0], {
    ...failed,
    state: 'waiting',
    lastErrorAtMs: failedAtMs + 1000,
  });
  await runner.stop();
  assert.deepEqual(
    states().map(({ state }) => state),
    ['stopped', 'stopped'],
  );
});
