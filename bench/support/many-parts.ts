import { statfsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Beside, beside } from './beside.ts';
import { settle } from './disk.ts';
import type { Settings } from './measurement.ts';
import { type PartSource, treeHashOf } from './part-source.ts';
import { headerOf } from './reply-reader.ts';
import { type Figures, median } from './report.ts';
import type { BenchServer } from './server.ts';
import { SignedConnection } from './signed-connection.ts';
import { type Completed, UploadClient } from './upload-client.ts';

/** Signed together: signatures are good for five minutes. */
const partsPerLeg = 1000;
const connections = 8;
const smallUploads = 20;
const outputRanges = 20;
const pollMs = 20;
const freedMsMax = 600_000;
/** The rest may be what the server keeps in hand, or what others write beside it. */
const freedShare = 0.95;

const aims = { completion: 'at most 200', stall: 'at most 50' } as const;
const mebibyte = 2 ** 20;

/** An upload with all its parts, and the archive that it is to be. */
interface Filled {
  readonly upload: string;
  readonly sizeBytes: number;
  readonly treeHash: string;
  /** How long the parts took. */
  readonly seconds: number;
}

/** What uploads became. */
export interface Archives {
  readonly ones: readonly string[];
  readonly many: string;
}

/** Uploads of many parts of the least size to one server, and what becomes of them. */
export class ManyParts implements Disposable {
  readonly #settings: Settings;
  readonly #server: BenchServer;
  /** Of 1 MiB each: an upload of more has them again and again. */
  readonly #source: PartSource;
  readonly #figures: Figures;
  readonly #client: UploadClient;

  constructor(settings: Settings, server: BenchServer, source: PartSource, figures: Figures) {
    this.#settings = settings;
    this.#server = server;
    this.#source = source;
    this.#figures = figures;
    this.#client = new UploadClient(server.port, 'parts');
  }

  async createVault(): Promise<void> {
    await this.#client.createVault();
  }

  /** Answers the archives that uploads of one part became, and the one of many parts. */
  async measureCompletion(): Promise<Archives> {
    const { parts } = this.#settings;
    const figures = this.#figures;
    const ones: Completed[] = [];
    for (let upload = 0; upload < smallUploads; upload++) {
      const one = await this.#fill(1);
      ones.push(await this.#client.complete(one.upload, one));
    }
    const oneMs = median(ones.map(({ ms }) => ms));
    const cpuAtStart = this.#server.cpuSeconds();
    const filled = await this.#fill(parts);
    const fillCpuMs = (this.#server.cpuSeconds() - cpuAtStart) * 1000;
    const found = await this.#beside(async () => {
      const cpuBefore = this.#server.cpuSeconds();
      const completed = await this.#client.complete(filled.upload, filled);
      return { ...completed, cpuMs: (this.#server.cpuSeconds() - cpuBefore) * 1000 };
    });
    const { archiveId, ms, cpuMs } = found.value;
    figures.add('parts of 1 MiB', '/s', parts / filled.seconds);
    figures.add('… processor time of the server', 'ms/part', fillCpuMs / parts);
    figures.add('completion, 1 part', 'ms', oneMs);
    figures.add(`completion, ${parts} parts`, 'ms', ms, aims.completion);
    figures.add(`… ${parts} parts / 1 part`, '', ms / oneMs);
    figures.add('… its processor time', 'ms', cpuMs);
    this.#addStall('a request meanwhile', found, aims.stall);
    return { ones: ones.map((one) => one.archiveId), many: archiveId };
  }

  /** Retrieves as many parts as a range of a tree hash can have, beginning with the first. */
  async measureRetrieval({ ones, many }: Archives): Promise<void> {
    const figures = this.#figures;
    const rangeMib = 2 ** Math.floor(Math.log2(this.#settings.parts));
    using connection = new SignedConnection(this.#server.port);
    const small: { readonly beginMs: number; readonly firstByteMs: number }[] = [];
    for (const archiveId of ones) {
      const { job, beginMs } = await this.#retrieve(connection, archiveId, 1);
      small.push({ beginMs, firstByteMs: await this.#firstByteMs(connection, job, 0) });
    }
    const found = await this.#beside(() => this.#retrieve(connection, many, rangeMib));
    const { job, beginMs, describeMs, seconds } = found.value;
    const ranges: number[] = [];
    for (let at = 0; at < outputRanges; at++) {
      const part = (Math.floor(rangeMib / 2) + at) % rangeMib;
      ranges.push(await this.#firstByteMs(connection, job, part));
    }
    figures.add('InitiateJob, archive of 1 part', 'ms', median(small.map((one) => one.beginMs)));
    figures.add(`InitiateJob, range of ${rangeMib} parts`, 'ms', beginMs);
    figures.add('… its job', 'MiB/s', rangeMib / seconds);
    figures.add('… DescribeJob meanwhile, p50', 'ms', describeMs);
    this.#addStall('a request meanwhile, job', found);
    const outputOfOne = median(small.map((one) => one.firstByteMs));
    figures.add('GetJobOutput, archive of 1 part: first byte', 'ms', outputOfOne);
    figures.add('GetJobOutput, 1 MiB in the middle: first byte', 'ms', median(ranges));
  }

  async measureAbort(): Promise<void> {
    const { directory, parts } = this.#settings;
    const figures = this.#figures;
    const onesMs: number[] = [];
    for (let upload = 0; upload < smallUploads; upload++) {
      const one = await this.#fill(1);
      onesMs.push(await this.#client.abort(one.upload));
    }
    await settle(directory);
    const usedBefore = usedMib(directory);
    const { upload } = await this.#fill(parts);
    const usedMibMax = usedMib(directory) - parts * freedShare;
    if (usedMibMax < usedBefore - parts * 0.5) throw new Error('The parts took too little space.');
    const found = await this.#beside(async () => {
      const ms = await this.#client.abort(upload);
      const repliedAtMs = performance.now();
      while (usedMib(directory) > usedMibMax) {
        if (performance.now() - repliedAtMs > freedMsMax) {
          throw new Error('The space of parts that were given up has not come back.');
        }
        await sleep(pollMs);
      }
      return { ms, freedSeconds: (performance.now() - repliedAtMs) / 1000 };
    });
    figures.add('abort, 1 part', 'ms', median(onesMs));
    figures.add(`abort, ${parts} parts`, 'ms', found.value.ms);
    figures.add('… until the space is given back', 's', found.value.freedSeconds);
    this.#addStall('a request meanwhile, abort', found);
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  /** Makes an upload of so many parts. */
  async #fill(count: number): Promise<Filled> {
    const { directory, say } = this.#settings;
    const { partSizeBytes, parts, file: bodies } = this.#source;
    const upload = await this.#client.initiate(partSizeBytes);
    const all = Array.from({ length: count }, (_, at) => parts[at % parts.length] ?? noPart());
    let seconds = 0;
    for (let from = 0; from < count; from += partsPerLeg) {
      if (from > 0 && from % (partsPerLeg * 2) === 0) say(`parts: ${from} of ${count} are there`);
      const leg = { parts: all.slice(from, from + partsPerLeg), offsetBytes: from * partSizeBytes };
      const sender = { bodies, directory, connections: Math.min(connections, count) };
      const sent = await this.#client.putParts(upload, leg, sender);
      seconds += sent.seconds;
    }
    if (count > 1) await settle(directory);
    // A part of 1 MiB is one leaf.
    const leaves = all.map(({ treeHash }) => Buffer.from(treeHash, 'hex'));
    return { upload, sizeBytes: count * partSizeBytes, treeHash: treeHashOf(leaves), seconds };
  }

  /** Has so many MiB, the first, of an archive retrieved, and waits until its job is done. */
  async #retrieve(connection: SignedConnection, archiveId: string, rangeMib: number) {
    const startedAtMs = performance.now();
    const begun = await connection.send(
      'POST',
      `${this.#client.path}/jobs`,
      JSON.stringify({
        Type: 'archive-retrieval',
        ArchiveId: archiveId,
        RetrievalByteRange: `0-${rangeMib * mebibyte - 1}`,
      }),
    );
    const job = `${this.#client.path}/jobs/${headerOf(begun.head, 'x-amz-job-id')}`;
    const describeMs = median(await this.#untilSucceeded(connection, job));
    const seconds = (performance.now() - startedAtMs) / 1000;
    return { job, beginMs: begun.ms, describeMs, seconds };
  }

  /** Answers how long each question took, in milliseconds. */
  async #untilSucceeded(connection: SignedConnection, job: string): Promise<readonly number[]> {
    const tookMs: number[] = [];
    for (;;) {
      const { body, ms } = await connection.send('GET', job);
      tookMs.push(ms);
      const { StatusCode } = JSON.parse(body.toString()) as { StatusCode: string };
      if (StatusCode === 'Succeeded') return tookMs;
      if (StatusCode === 'Failed') throw new Error(`The retrieval failed: ${body}`);
      await sleep(pollMs);
    }
  }

  /** Of one part: its tree hash comes with it. */
  async #firstByteMs(connection: SignedConnection, job: string, part: number): Promise<number> {
    const { parts } = this.#source;
    const firstByte = part * mebibyte;
    const range = `bytes=${firstByte}-${firstByte + mebibyte - 1}`;
    const target = `${job}/output`;
    const reply = await connection.request({ method: 'GET', target, headers: ['Range', range] });
    const answered = headerOf(reply.head, 'x-amz-sha256-tree-hash');
    if (answered !== parts[part % parts.length]?.treeHash || reply.body.length !== mebibyte) {
      throw new Error(`Part ${part} came back with another tree hash: ${answered}`);
    }
    return reply.firstByteMs;
  }

  #beside<T>(work: () => Promise<T>): Promise<Beside<T>> {
    return beside(this.#server.port, this.#client.path, work);
  }

  #addStall<T>(name: string, { beforeMs, meanwhileMs }: Beside<T>, aim = ''): void {
    this.#figures.add(`${name}, slowest`, 'ms', Math.max(...meanwhileMs), aim);
    this.#figures.add(`${name}, slowest before`, 'ms', Math.max(...beforeMs));
  }
}

/** Of the whole file system: it is the server's alone, unless somebody named a directory. */
function usedMib(directory: string): number {
  const { bsize, blocks, bfree } = statfsSync(directory);
  return ((blocks - bfree) * bsize) / mebibyte;
}

function noPart(): never {
  throw new Error('The source has no parts.');
}
