import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sampleBytes } from '../blob-specimen.ts';
import { fileError } from './faulty-files.ts';
import { DiskJournalSpecimen } from './journal-specimen.ts';
import type { SimulatedFiles } from './simulated-files.ts';

const sizes = [0, 10, 300, 1000, 5000, 70_000];

describe('DiskJournal, its crashes', () => {
  test('a batch that was found after the death of a process outlives a power cut', async () => {
    for (const found of [1, 3]) {
      await using specimen = await DiskJournalSpecimen.simulated();
      for (let sequence = 1; sequence < found; sequence++) await append(specimen, sequence);
      await dieBeforeSync(specimen, found);
      await specimen.kill();
      assert.equal(specimen.journal.lastSequence, found);
      await append(specimen, found + 1);
      await specimen.crash();
      const parts = await Array.fromAsync(specimen.journal.read(0));
      assert.ok(parts.every((part) => 'sequence' in part));
      assert.equal(parts.length, found + 1);
    }
  });

  test('also when its sync had failed, and the system took its bytes for written', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1);
    await dieBeforeSync(specimen, 2);
    const path = specimen.layout.journalFile(1);
    (specimen.files as SimulatedFiles).drop(path, 'unseen');
    await specimen.kill();
    assert.equal(specimen.journal.lastSequence, 2);
    await specimen.crash();
    assert.equal(specimen.journal.lastSequence, 2);
  });

  test('a full disk does not keep the journal from being opened', async () => {
    await using specimen = await DiskJournalSpecimen.simulated();
    await append(specimen, 1);
    specimen.setRoom(0);
    await specimen.reopen();
    assert.equal(specimen.journal.lastSequence, 1);
  });

  test('whatever deed the power fails at, and whatever survives, no acknowledged batch is lost', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('append' as const) },
      { weight: 1, arbitrary: fc.constant('reopen' as const) },
      { weight: 1, arbitrary: fc.constant('forget' as const) },
    );
    const life = fc.record({
      steps: fc.array(step, { minLength: 1, maxLength: 12 }),
      /** The deed on the file system at which the power fails. */
      cutAt: fc.integer({ min: 0, max: 60 }),
      /** One in so many writes of an entry finds no room. */
      fullOnceIn: fc.constantFrom(3, 1000),
      survivors: fc.infiniteStream(fc.boolean()),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
        let survives = () => false;
        await using specimen = await DiskJournalSpecimen.simulated(() => survives());
        specimen.options = { fileSizeBytesMin: 80_000 };
        const model = new Model(specimen);
        for (const { steps, cutAt, fullOnceIn, survivors } of lives) {
          survives = () => survivors.next().value ?? false;
          await model.live(steps, { cutAt, fullOnceIn });
          await specimen.crash();
          await model.check();
        }
      }),
      { numRuns: 60 },
    );
  });
});

async function append({ journal }: DiskJournalSpecimen, sequence: number): Promise<void> {
  await journal.append({ sequence, payload: sampleBytes(1000, sequence) });
}

/** Appends up to the sync of the entry itself, and no further. */
async function dieBeforeSync(specimen: DiskJournalSpecimen, sequence: number): Promise<void> {
  let hasEntry = false;
  specimen.before = (deed, _, sizeBytes) => {
    hasEntry ||= deed === 'write' && sizeBytes === 64 + 1000 + 16;
    if (hasEntry && deed === 'sync') throw fileError('EIO', deed);
  };
  await assert.rejects(append(specimen, sequence));
  specimen.before = () => {};
}

/** What a journal must hold, after lives that end in a power cut. */
class Model {
  readonly #specimen: DiskJournalSpecimen;
  readonly #payloads = new Map<number, Uint8Array>();
  #last = 0;
  #forgotten = 0;
  #seed = 0;
  /** Appended last, and neither acknowledged nor refused. */
  #open: Uint8Array | undefined;

  constructor(specimen: DiskJournalSpecimen) {
    this.#specimen = specimen;
  }

  async live(
    steps: readonly ('append' | 'reopen' | 'forget')[],
    { cutAt, fullOnceIn }: { cutAt: number; fullOnceIn: number },
  ): Promise<void> {
    let deeds = 0;
    let isCut = false;
    this.#specimen.before = (deed, _, sizeBytes) => {
      deeds += 1;
      isCut ||= deeds > cutAt;
      if (isCut) throw fileError('EIO', deed);
      const isFull = deed === 'write' && sizeBytes !== 4096 && deeds % fullOnceIn === 0;
      if (isFull) throw fileError('ENOSPC', deed);
    };
    for (const step of steps) {
      await this.#step(step, () => isCut);
      if (isCut) break;
    }
    this.#specimen.before = () => {};
  }

  async #step(step: 'append' | 'reopen' | 'forget', isCut: () => boolean): Promise<void> {
    try {
      if (step === 'append') await this.#append();
      else if (step === 'reopen') await this.#specimen.reopen();
      else await this.#forget();
    } catch (error) {
      const isOfRoom = /no room left/.test(String(error));
      assert.ok(isCut() || isOfRoom, String(error));
      // Refused for good, unless the power failed meanwhile.
      if (!isCut()) this.#open = undefined;
    }
  }

  async #append(): Promise<void> {
    const payload = sampleBytes(sizes[++this.#seed % sizes.length] ?? 0, this.#seed);
    this.#open = payload;
    await this.#specimen.journal.append({ sequence: this.#last + 1, payload });
    this.#payloads.set(++this.#last, payload);
    this.#open = undefined;
  }

  async #forget(): Promise<void> {
    this.#forgotten = Math.max(0, this.#last - 2);
    await this.#specimen.journal.forget(this.#forgotten);
  }

  async check(): Promise<void> {
    const { journal } = this.#specimen;
    if (journal.lastSequence === this.#last + 1) {
      assert.ok(this.#open, 'a batch that was refused came back');
      this.#payloads.set(++this.#last, this.#open);
    }
    this.#open = undefined;
    assert.equal(journal.lastSequence, this.#last);
    let sequence = this.#forgotten;
    for await (const part of journal.read(sequence)) {
      assert.ok('sequence' in part, JSON.stringify(part));
      sequence += 1;
      assert.equal(part.sequence, sequence);
      assert.deepEqual(new Uint8Array(part.payload), this.#payloads.get(sequence));
    }
    assert.equal(sequence, this.#last);
  }
}
