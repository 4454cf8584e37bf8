import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Domain, goingOn, openDomain, runUntilIdle } from '../../tests/support/domain.ts';
import {
  assertIntact,
  blobsOf,
  forget,
  type StoredText,
  storeTexts,
} from '../../tests/support/segments.ts';
import { Archives } from '../domain/archives.ts';
import { Pins } from '../domain/pins.ts';
import { listIds } from '../storage/blob-specimen.ts';
import { DiskSpecimen } from '../storage/disk/disk-specimen.ts';
import { CompactSegments } from './compact-segments.ts';
import { SweepOrphans } from './sweep-orphans.ts';

fc.configureGlobal({ seed: 20_260_131 });

const minuteMs = 60_000;
const weekMs = 7 * 24 * 60 * minuteMs;

type Deed = readonly [
  kind: 'store' | 'forget' | 'steps' | 'cut' | 'crash' | 'reopen',
  much: number,
];

const deeds: fc.Arbitrary<Deed> = fc.tuple(
  fc.constantFrom('store', 'store', 'forget', 'forget', 'steps', 'steps', 'cut', 'crash', 'reopen'),
  fc.nat({ max: 15 }),
);

/** Rows that outlive every crash, as the journal's do, and the bytes of a disk that may crash. */
class Machine {
  readonly specimen: DiskSpecimen;
  readonly #domain: Domain;
  stored: StoredText[] = [];
  #server: ReturnType<typeof serverOn>;
  #worker: CompactSegments;

  constructor(domain: Domain, specimen: DiskSpecimen) {
    this.#domain = domain;
    this.specimen = specimen;
    this.#server = serverOn(this.#domain, this.specimen);
    this.#worker = new CompactSegments(this.#server);
  }

  get server(): ReturnType<typeof serverOn> {
    return this.#server;
  }

  async do([kind, much]: Deed): Promise<void> {
    if (kind === 'store') this.stored.push(...(await storeTexts(this.#server, much)));
    else if (kind === 'forget') await this.#forget(much);
    else if (kind === 'steps') await this.#steps(much);
    else if (kind === 'cut') await this.#cut(much);
    else await this.restart(kind);
  }

  async restart(how: 'crash' | 'reopen'): Promise<void> {
    await this.specimen[how]();
    this.#server = serverOn(this.#domain, this.specimen);
    this.#worker = new CompactSegments(this.#server);
  }

  /** Gives back all that can be given back, the segments too that were appended to last. */
  async settle(): Promise<void> {
    const sweeper = new SweepOrphans(this.#server);
    for (let round = 0; round < 3; round += 1) {
      await runUntilIdle(sweeper);
      this.#server.clock.advance(weekMs);
    }
    for (let round = 0; round < 3; round += 1) {
      await this.restart('reopen');
      for (let visit = 0; visit < 4; visit += 1) {
        await runUntilIdle(this.#worker);
        this.#server.clock.advance(minuteMs);
      }
    }
  }

  async #forget(much: number): Promise<void> {
    const gone = this.stored.filter((_, index) => (index * 7 + much) % 16 < much);
    this.stored = this.stored.filter((one) => !gone.includes(one));
    await forget(this.#server, gone);
  }

  async #steps(much: number): Promise<void> {
    for (let count = 0; count < much; count += 1) {
      const outcome = await this.#worker.step(goingOn);
      if (outcome === 'idle') this.#server.clock.advance(minuteMs / 2);
    }
  }

  /** The power is cut while the worker is at it. */
  async #cut(much: number): Promise<void> {
    const cutOff = this.#worker.step(goingOn).catch(() => undefined);
    for (let turn = 0; turn < much; turn += 1) await new Promise(setImmediate);
    await this.restart('crash');
    await cutOff;
  }
}

/** What begins with the process and ends with it. */
function serverOn(domain: Domain, { store }: DiskSpecimen) {
  const parts = { ...domain, blobs: store, compaction: store, pins: new Pins() };
  return { ...parts, archives: new Archives(parts) };
}

test('on a disk that crashes no archive is lost, and what is wasted is given back', async () => {
  let compactedCount = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(deeds, { minLength: 30, maxLength: 50 }), async (all) => {
      await using domain = await openDomain();
      await using specimen = await DiskSpecimen.simulated();
      const machine = new Machine(domain, specimen);
      for (const deed of all) {
        await machine.do(deed);
        await assertIntact(machine.server, machine.stored);
      }
      await machine.settle();
      await assertIntact(machine.server, machine.stored);
      const named = await blobsOf(domain, machine.stored);
      assert.deepEqual(await listIds(specimen.store), [...named].sort());
      assert.deepEqual(await specimen.compaction.wasteful(), []);
      const infos = domain.log.names('info');
      compactedCount += infos.filter((event) => event === 'segment.compacted').length;
    }),
    { numRuns: 25 },
  );
  assert.ok(compactedCount > 25, `${compactedCount} segments were compacted`);
});
