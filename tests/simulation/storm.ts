import assert from 'node:assert/strict';
import { SimulatedClock } from '../../src/lib/clock.ts';
import { chunked, readBytes, sampleBytes } from '../../src/storage/blob-specimen.ts';
import type { BlobId } from '../../src/storage/blob-store.ts';
import { FaultyFiles, fileError } from '../../src/storage/disk/faulty-files.ts';
import { SimulatedFiles } from '../../src/storage/disk/simulated-files.ts';
import { isStoreError, type StoreErrorCode } from '../../src/storage/errors.ts';
import { lookAtAll, removeAll, writeAll } from './blob-crashes.ts';
import { type BlobKey, bytesOfKey } from './blob-history.ts';
import { appendBatches, readJournal } from './journal-crashes.ts';
import { type Draw, seededDraw } from './seeded-draw.ts';
import { StormModel } from './storm-model.ts';
import type { Deed, Hardship, StormStep } from './storm-steps.ts';
import { layout, type OpenVolume, openVolume, strayFiles } from './volume.ts';

/** Lets everything in `steps` happen to a volume, and holds it against a model all the while. */
export async function runStorm(steps: readonly StormStep[], seed: number): Promise<void> {
  const storm = new Storm(seededDraw(seed));
  await storm.open();
  for (const step of steps) await storm.take(step);
  await storm.end();
}

/** What the disk shall do to who uses it. */
interface Weather {
  syncFailure: 'kept' | 'unseen' | 'seen' | undefined;
  roomBytes: number;
  /** So many more things are done, and then nothing. */
  deedsLeft: number;
}

class Storm {
  readonly #draw: Draw;
  readonly #files = new SimulatedFiles('/');
  readonly #clock = new SimulatedClock();
  readonly #model = new StormModel();
  readonly #weather: Weather = {
    ...{ syncFailure: undefined, roomBytes: Number.POSITIVE_INFINITY },
    deedsLeft: Number.POSITIVE_INFINITY,
  };
  #faulty = this.#newFaulty();
  #volume: OpenVolume | undefined;
  #lastKey = 0;

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  async open(): Promise<void> {
    this.#faulty = this.#newFaulty();
    this.#volume = await openVolume(this.#faulty, { clock: this.#clock });
    await this.#verify();
  }

  async take(step: StormStep): Promise<void> {
    this.#clock.advance(1500);
    switch (step.do) {
      case 'put':
        await this.#put(step.sizes);
        break;
      case 'get':
        await this.#get(step);
        break;
      case 'remove':
        await this.#remove(step.which);
        break;
      case 'append':
        await this.#append(step.count);
        break;
      case 'forget':
        await this.#forget(step.which);
        break;
      case 'snapshot':
        await this.#takeSnapshot();
        break;
      case 'compact':
        await this.#compact();
        break;
      case 'verify':
        await this.#verify();
        break;
      default:
        await this.#suffer(step);
    }
  }

  /** Once all blobs are gone, and the store opened again, no file of them is there. */
  async end(): Promise<void> {
    await this.#crash(100);
    const { blobs } = this.#open;
    const { segments, large } = this.#model.flips;
    for await (const { id } of blobs.list()) await blobs.remove(id);
    await this.#open[Symbol.asyncDispose]();
    const again = await openVolume(this.#files);
    await Array.fromAsync(again.blobs.list());
    await again[Symbol.asyncDispose]();
    const strays = strayFiles(this.#files).filter((path) => !this.#isReported(path, again));
    assert.ok(strays.length <= segments + large, `these files stay: ${strays}`);
    assert.equal(this.#faulty.openCount, 0, 'no file stays open');
  }

  get #open(): OpenVolume {
    assert.ok(this.#volume);
    return this.#volume;
  }

  async #suffer(step: Hardship): Promise<void> {
    const weather = this.#weather;
    switch (step.do) {
      case 'reopen':
        await this.#open[Symbol.asyncDispose]();
        assert.equal(this.#faulty.openCount, 0, 'no file stays open');
        await this.open();
        break;
      case 'kill':
        await this.#faulty.cut();
        await this.open();
        break;
      case 'crash':
        await this.#crash(step.chance);
        break;
      case 'kill at':
        await this.#everythingUntil(step.deed);
        await this.#faulty.cut();
        await this.open();
        break;
      case 'crash at':
        await this.#everythingUntil(step.deed);
        await this.#crash(step.chance);
        break;
      case 'fail a sync':
        weather.syncFailure = step.dropped;
        await this.#everythingAtOnce();
        weather.syncFailure = undefined;
        assert.equal(this.#open.blobs.condition, 'failed');
        await assert.rejects(this.#write('100-0'), isOf('StoreUnavailable'));
        await this.#verify();
        await this.#crash(50);
        break;
      case 'fill':
        weather.roomBytes = step.room;
        await this.#everythingAtOnce();
        weather.roomBytes = Number.POSITIVE_INFINITY;
        this.#clock.advance(2000);
        await this.#put([10]);
        await this.#append(1);
        break;
      case 'flip':
        await this.#flip(step);
        break;
    }
  }

  /** So many deeds, and then nothing more is done. */
  async #everythingUntil(deed: number): Promise<void> {
    this.#weather.deedsLeft = deed;
    await this.#everythingAtOnce();
    this.#weather.deedsLeft = Number.POSITIVE_INFINITY;
  }

  /** What is under way when something fails: uploads, a removal, a batch. */
  async #everythingAtOnce(): Promise<void> {
    const attempt = this.#attempt;
    const { blobs, journal } = this.#open;
    const [first] = this.#model.blobs.live.keys();
    const note = this.#model.noteBlob;
    await Promise.all([
      writeAll(blobs, [this.#newKey(200), this.#newKey(5000), this.#newKey(270_000)], {
        ...{ note, attempt },
      }),
      removeAll(blobs, first === undefined ? [] : [first], { note, attempt }),
      appendBatches(journal, 1, {
        ...{ note: this.#model.noteJournal, attempt, after: this.#model.lastSequence },
      }),
    ]);
  }

  /** Nobody minds that a thing fails in bad weather, if it says so as it should. */
  readonly #attempt = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      assert.ok(isStoreError(error), `${error} is no error of a store`);
      return undefined;
    }
  };

  async #put(sizes: readonly number[]): Promise<void> {
    const keys = sizes.map((size) => this.#newKey(size));
    await writeAll(this.#open.blobs, keys, { note: this.#model.noteBlob });
  }

  async #get({ which, from, length }: Extract<Deed, { do: 'get' }>): Promise<void> {
    const chosen = this.#someBlob(which);
    if (chosen === undefined) return;
    const [id, key] = chosen;
    const bytes = bytesOfKey(key);
    const offsetBytes = from % (bytes.length + 1);
    const lengthBytes = length % (bytes.length - offsetBytes + 1);
    try {
      const read = await readBytes(this.#open.blobs, id, { offsetBytes, lengthBytes });
      const expected = bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
      assert.ok(Buffer.from(read).equals(expected), `a range of the blob ${id} is wrong`);
    } catch (error) {
      const { segments, large } = this.#model.flips;
      if (segments + large === 0 || !isDamageReport(error)) throw error;
    }
  }

  async #remove(which: readonly number[]): Promise<void> {
    const ids = new Set(which.flatMap((each) => this.#someBlob(each)?.[0] ?? []));
    await removeAll(this.#open.blobs, [...ids], { note: this.#model.noteBlob });
  }

  async #append(count: number): Promise<void> {
    const after = this.#model.lastSequence;
    await appendBatches(this.#open.journal, count, { note: this.#model.noteJournal, after });
  }

  async #forget(which: number): Promise<void> {
    const throughSequence = which % (this.#model.lastSequence + 1);
    this.#model.noteJournal({ forgetting: throughSequence });
    await this.#open.journal.forget(throughSequence);
  }

  async #takeSnapshot(): Promise<void> {
    const sequence = this.#model.lastSequence;
    this.#model.snapshotsInDoubt.add(sequence);
    const { name } = await this.#open.snapshots.write(chunked(snapshotOf(sequence)), sequence);
    this.#model.snapshots.set(name, sequence);
    const [oldest, ...others] = this.#model.snapshots.keys();
    if (oldest === undefined || others.length < 2) return;
    await this.#open.snapshots.remove(oldest);
    this.#model.snapshots.delete(oldest);
  }

  async #compact(): Promise<void> {
    const { blobs } = this.#open;
    const note = this.#model.noteBlob;
    for (const { segment } of await blobs.wasteful()) {
      const moved: BlobId[] = [];
      for (const { id } of await blobs.blobsIn(segment)) {
        try {
          const key = (await blobs.describe(id)).label as BlobKey;
          note({ deed: 'writing', key });
          note({ deed: 'written', key, id: await blobs.copy(id) });
          moved.push(id);
        } catch (error) {
          // What a crash has left of an upload, or a flipped bit of a blob, has nothing to copy.
          if (!isDamageReport(error)) throw error;
        }
      }
      note({ deed: 'removing', ids: moved });
      await blobs.retire(segment, moved);
      note({ deed: 'removed', ids: moved });
    }
  }

  /** Reads everything. That goes on after a sync that failed, too. */
  async #verify(): Promise<void> {
    const { blobs, journal, snapshots } = this.#open;
    this.#model.judgeBlobs(await lookAtAll(blobs, this.#model.ids));
    const batches = await readJournal(journal);
    this.#model.judgeJournal(batches);
    // What was read is as good as promised: rows are made of it, and shown.
    for (const appended of batches.sequences) this.#model.noteJournal({ appended });
    const seen = new Map<string, number>();
    for (const { name, sequence } of await snapshots.list()) {
      try {
        const chunks = await Array.fromAsync(snapshots.read(name), (chunk) => Buffer.from(chunk));
        assert.ok(Buffer.concat(chunks).equals(snapshotOf(sequence)), `${name} is wrong`);
        seen.set(name, sequence);
      } catch (error) {
        if (this.#model.flips.snapshots === 0 || !isDamageReport(error)) throw error;
      }
    }
    this.#model.judgeSnapshots(seen);
  }

  async #flip({ file, offset, bit }: Extract<Hardship, { do: 'flip' }>): Promise<void> {
    const found = [...this.#files.sizes()].filter(([, size]) => size > 0);
    const [path, size] = found[file % Math.max(1, found.length)] ?? [];
    if (path === undefined || size === undefined) return;
    for (const place of ['segments', 'large', 'journal', 'snapshots'] as const) {
      if (!path.startsWith(layout[place])) continue;
      this.#model.flips[place] += 1;
      this.#files.flip(path, offset % size, bit);
    }
    await this.#verify();
  }

  async #crash(chance: number): Promise<void> {
    await this.#faulty.cut();
    this.#files.crash(() => this.#draw(100) < chance);
    await this.open();
  }

  #write(key: BlobKey) {
    return this.#open.blobs.write(chunked(bytesOfKey(key)), { label: () => key });
  }

  #newKey(size: number): BlobKey {
    this.#lastKey += 1;
    return `${size}-${this.#lastKey}`;
  }

  #someBlob(which: number): readonly [BlobId, BlobKey] | undefined {
    const { live } = this.#model.blobs;
    return [...live][which % Math.max(1, live.size)];
  }

  #isReported(path: string, { log }: OpenVolume): boolean {
    return log.events.some(
      ({ event, facts }) =>
        event === 'segment.damaged' && layout.segment(Number(facts['segment'])) === path,
    );
  }

  #newFaulty(): FaultyFiles {
    const weather = this.#weather;
    return new FaultyFiles(this.#files, (deed, path, sizeBytes) => {
      if (weather.deedsLeft <= 0) throw fileError('EIO', deed);
      weather.deedsLeft -= 1;
      const isSync = deed === 'sync' || deed === 'syncDirectory';
      if (isSync && weather.syncFailure !== undefined) {
        if (weather.syncFailure !== 'kept') this.#files.drop(path, weather.syncFailure);
        throw fileError('EIO', deed);
      }
      if (deed !== 'write' || sizeBytes <= 8) return;
      if (weather.roomBytes < sizeBytes) throw fileError('ENOSPC', deed);
      weather.roomBytes -= sizeBytes;
    });
  }
}

function snapshotOf(sequence: number): Uint8Array {
  return sampleBytes(1000 + 700 * (sequence % 50), sequence + 1);
}

function isOf(code: StoreErrorCode): (error: unknown) => boolean {
  return (error) => isStoreError(error, code);
}

function isDamageReport(error: unknown): boolean {
  return isStoreError(error, 'BlobCorrupt') || isStoreError(error, 'BlobNotFound');
}
