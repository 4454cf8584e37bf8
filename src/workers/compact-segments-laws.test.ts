import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  retrieve,
  runUntilIdle,
} from '../../tests/support/domain.ts';
import { type Faulty, faulty } from '../../tests/support/faulty.ts';
import {
  assertIntact,
  blobsOf,
  forget,
  type StoredText,
  storeTexts,
} from '../../tests/support/segments.ts';
import type { JobOutput } from '../domain/job-outputs.ts';
import { Pins } from '../domain/pins.ts';
import { listIds } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import type { PackedMemoryBlobStore } from '../storage/memory/packed-memory-blob-store.ts';
import { CompactSegments } from './compact-segments.ts';
import { SweepOrphans } from './sweep-orphans.ts';

fc.configureGlobal({ seed: 20_260_131 });

const minuteMs = 60_000;
const segmentSizeBytes = 5000;
/** What one archive of these tests takes at most, with its label. */
const archiveSizeBytesMax = 700;
const failures = [
  new StoreError('StoreFull', 'there is no room'),
  new Error('a defect'),
  new StoreError('BlobCorrupt', 'a byte is wrong'),
];

/** What may happen between two steps of the worker. */
type Deed =
  | { readonly kind: 'store'; readonly count: number }
  | { readonly kind: 'forget'; readonly picks: readonly number[] }
  | { readonly kind: 'find' | 'read'; readonly pick: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'step'; readonly times: number }
  | { readonly kind: 'fail'; readonly method: 'copy' | 'retire' | 'wasteful'; readonly how: number }
  | { readonly kind: 'restart' };

const pick = fc.nat({ max: 1000 });
const deeds: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('store'), count: fc.nat({ max: 12 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('forget'), picks: fc.array(pick, { maxLength: 12 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('find', 'read'), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.nat({ max: minuteMs - 1 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('step'), times: fc.nat({ max: 6 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fail'),
      method: fc.constantFrom('copy', 'retire', 'wasteful'),
      how: fc.nat({ max: failures.length - 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
);

/** A server that stores, forgets and reads while its segments are compacted. */
class History {
  readonly domain: Domain;
  stored: StoredText[] = [];
  readonly #compaction: Faulty<PackedMemoryBlobStore>;
  #pins = new Pins();
  #worker: CompactSegments;
  #found: { readonly text: string; readonly output: JobOutput; readonly atMs: number }[] = [];

  constructor(domain: Domain) {
    this.domain = domain;
    domain.blobs.segmentSizeBytes = segmentSizeBytes;
    this.#compaction = faulty(domain.blobs);
    this.#worker = this.#newWorker();
  }

  async do(deed: Deed): Promise<void> {
    const { domain } = this;
    if (deed.kind === 'store') this.stored.push(...(await storeTexts(domain, deed.count)));
    else if (deed.kind === 'forget') await this.#forget(deed.picks);
    else if (deed.kind === 'find') await this.#find(deed.pick);
    else if (deed.kind === 'read') await this.#read(deed.pick);
    else if (deed.kind === 'wait') domain.clock.advance(deed.ms);
    else if (deed.kind === 'step') await this.#step(deed.times);
    else if (deed.kind === 'fail') {
      this.#compaction.failNext(deed.method, failures[deed.how] ?? new Error('a defect'));
    } else this.#restart();
  }

  /** Has a worker that nothing fails do all that is to do. */
  async settle(): Promise<void> {
    const worker = new CompactSegments(this.domain);
    for (let visit = 0; visit < 8; visit += 1) {
      await runUntilIdle(worker);
      this.domain.clock.advance(minuteMs);
    }
  }

  async #forget(picks: readonly number[]): Promise<void> {
    const gone = new Set(picks.map((each) => this.stored[each % this.stored.length]));
    await forget(
      this.domain,
      this.stored.filter((one) => gone.has(one)),
    );
    this.stored = this.stored.filter((one) => !gone.has(one));
  }

  /** Somebody asks for an archive, and has not begun to read it. */
  async #find(at: number): Promise<void> {
    const { domain } = this;
    const found = this.stored[at % this.stored.length];
    if (found === undefined) return;
    const jobId = await retrieve(domain, found.archiveId);
    await domain.jobs.succeed(jobId);
    const output = await domain.jobs.output(photos, jobId, undefined);
    this.#found.push({ text: found.text, output, atMs: domain.clock.now() });
  }

  /** Somebody reads what was found within the last minute: nobody takes longer to begin. */
  async #read(at: number): Promise<void> {
    const nowMs = this.domain.clock.now();
    this.#found = this.#found.filter(({ atMs }) => nowMs - atMs < minuteMs);
    const found = this.#found[at % this.#found.length];
    if (found === undefined) return;
    const chunks = await Array.fromAsync(found.output.read(goingOn), (chunk) => Buffer.from(chunk));
    assert.equal(Buffer.concat(chunks).toString(), found.text);
  }

  async #step(times: number): Promise<void> {
    for (let count = 0; count < times; count += 1) {
      try {
        await this.#worker.step(goingOn);
      } catch (error) {
        assert.ok(error instanceof Error && failures.includes(error), String(error));
      }
    }
  }

  /** Whoever read or wrote is gone, and so is what the worker knew. */
  #restart(): void {
    this.domain.blobs.seal();
    this.#found = [];
    this.#pins = new Pins();
    this.#worker = this.#newWorker();
  }

  #newWorker(): CompactSegments {
    return new CompactSegments({
      ...this.domain,
      pins: this.#pins,
      compaction: this.#compaction.it,
    });
  }
}

test('whatever happens meanwhile, every archive is there, and space at most twice what is live', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deeds, { minLength: 10, maxLength: 60 }), async (all) => {
      await using domain = await openDomain();
      const history = new History(domain);
      for (const deed of all) {
        await history.do(deed);
        await assertIntact(domain, history.stored);
      }
      await history.settle();
      await assertIntact(domain, history.stored);
      const bound = 2 * domain.blobs.usedBytes + segmentSizeBytes + archiveSizeBytesMax;
      assert.ok(domain.blobs.spaceBytes <= bound, `${domain.blobs.spaceBytes} of ${bound}`);
      assert.deepEqual(domain.log.names('error'), []);
    }),
    { numRuns: 60 },
  );
});

test('what interruptions left behind is gone in two weeks, and nothing else is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deeds, { minLength: 10, maxLength: 40 }), async (all) => {
      await using domain = await openDomain();
      const history = new History(domain);
      for (const deed of all) await history.do(deed);
      await history.settle();
      const sweeper = new SweepOrphans(domain);
      for (let round = 0; round < 3; round += 1) {
        await runUntilIdle(sweeper);
        domain.clock.advance(7 * 24 * hourMs);
      }
      await forget(domain, []);
      const named = await blobsOf(domain, history.stored);
      assert.deepEqual(await listIds(domain.blobs), [...named].sort());
      await assertIntact(domain, history.stored);
    }),
    { numRuns: 30 },
  );
});
