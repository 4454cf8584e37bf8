import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { headerOf, type ReplyHead, ReplyReader } from './reply-reader.ts';

/** Uploads over many connections at once, as fast as they are acknowledged: a process of its own. */
export interface Load {
  readonly port: number;
  /** Whole requests, prepared beforehand and one behind the other; they are sent again and again. */
  readonly file: string;
  readonly requestSizesBytes: readonly number[];
  /** Where each request has ten digits that are counted up, so that no two uploads are the same. */
  readonly numberAt: number | null;
  readonly firstNumber: number;
  readonly connections: number;
  readonly warmUpSeconds: number;
  /** When it ends: after a time, after a number of uploads, or when the server is gone. */
  readonly until: { readonly seconds: number } | { readonly count: number } | 'broken';
}

export interface Loaded {
  /** How many uploads were acknowledged, those of the warm-up among them. */
  readonly acknowledged: number;
  /** The rest is about the time after the warm-up. */
  readonly perSecond: number;
  /** How many uploads took so long, by tenths of a millisecond. */
  readonly latencies: readonly (readonly [tenthsMs: number, count: number])[];
  /** Acknowledged in each half of a second, counted from 1970 on so that processes agree. */
  readonly intervals: readonly (readonly [interval: number, count: number])[];
  /** Processor time of the client, per second. */
  readonly cpuShare: number;
  /** Some of the uploads, each with the request that made it. */
  readonly samples: readonly { readonly location: string; readonly request: number }[];
}

export const intervalMs = 500;

const samplesMax = 200;
const sampleEvery = 97;

class LoadRun {
  readonly #load: Load;
  readonly #requests: readonly Buffer[];
  readonly #samples: { location: string; request: number }[] = [];
  readonly #latencies = new Map<number, number>();
  readonly #intervals = new Map<number, number>();
  #sent = 0;
  #acknowledged = 0;
  #measured = 0;
  #measuredFromMs = 0;
  #sentUntilMs = Infinity;
  #sentMax = Infinity;

  constructor(load: Load) {
    this.#load = load;
    const bytes = readFileSync(load.file);
    let at = 0;
    this.#requests = load.requestSizesBytes.map((sizeBytes) => {
      at += sizeBytes;
      return bytes.subarray(at - sizeBytes, at);
    });
  }

  async run(): Promise<Loaded> {
    const { connections, warmUpSeconds, until } = this.#load;
    this.#measuredFromMs = performance.now() + warmUpSeconds * 1000;
    if (until !== 'broken' && 'seconds' in until) {
      this.#sentUntilMs = this.#measuredFromMs + until.seconds * 1000;
    } else if (until !== 'broken') {
      this.#sentMax = until.count;
    }
    let cpuBefore = process.cpuUsage();
    setTimeout(() => (cpuBefore = process.cpuUsage()), warmUpSeconds * 1000).unref();
    await Promise.all(Array.from({ length: connections }, () => this.#connection()));
    const { user, system } = process.cpuUsage(cpuBefore);
    const endedAtMs = Math.min(performance.now(), this.#sentUntilMs);
    const seconds = (endedAtMs - this.#measuredFromMs) / 1000;
    return {
      acknowledged: this.#acknowledged,
      perSecond: this.#measured / seconds,
      latencies: [...this.#latencies],
      intervals: [...this.#intervals],
      cpuShare: (user + system) / 1e6 / seconds,
      samples: this.#samples,
    };
  }

  /** Sends request after request over one connection until it is over. */
  #connection(): Promise<void> {
    const sizeBytesMax = Math.max(...this.#load.requestSizesBytes);
    const own = Buffer.allocUnsafe(sizeBytesMax);
    return new Promise((resolve, reject) => {
      let request = 0;
      let sentAtMs = 0;
      let complaint = '';
      const sendNext = (socket: Socket) => {
        sentAtMs = performance.now();
        if (this.#sent >= this.#sentMax || sentAtMs >= this.#sentUntilMs) {
          socket.end();
          resolve();
          return;
        }
        request = this.#sent % this.#requests.length;
        socket.write(this.#nextRequest(own, request));
      };
      const end = (head: ReplyHead) => {
        if (head.status === 201) {
          this.#take(head, request, sentAtMs);
          sendNext(socket);
        } else reject(new Error(`An upload was answered ${head.status}: ${complaint}`));
      };
      const reader = new ReplyReader({ body: (chunk) => (complaint += chunk), end });
      const socket = connect({
        port: this.#load.port,
        host: '127.0.0.1',
        noDelay: true,
        onread: {
          buffer: Buffer.allocUnsafe(16 * 1024),
          callback: (sizeBytes, buffer) => {
            reader.feed(Buffer.from(buffer.buffer, buffer.byteOffset, sizeBytes));
            return true;
          },
        },
      });
      const fail = this.#load.until === 'broken' ? () => resolve() : reject;
      socket.on('error', fail);
      socket.on('close', () => fail(new Error('The server closed a connection.')));
      socket.on('connect', () => sendNext(socket));
    });
  }

  /** The connection's own copy: others may still be sending the same request. */
  #nextRequest(own: Buffer, request: number): Buffer {
    const { numberAt, firstNumber } = this.#load;
    const sizeBytes = this.#requests[request]?.copy(own) ?? 0;
    const number = firstNumber + this.#sent++;
    if (numberAt !== null) own.write(String(number).padStart(10, '0'), numberAt, 'latin1');
    return own.subarray(0, sizeBytes);
  }

  #take(head: ReplyHead, request: number, sentAtMs: number): void {
    const nowMs = performance.now();
    this.#acknowledged++;
    if (nowMs >= this.#measuredFromMs && nowMs < this.#sentUntilMs) {
      this.#measured++;
      countUp(this.#latencies, Math.round((nowMs - sentAtMs) * 10));
      countUp(this.#intervals, Math.floor((performance.timeOrigin + nowMs) / intervalMs));
    }
    if (this.#acknowledged % sampleEvery !== 1) return;
    const sample = { location: headerOf(head, 'location') ?? '', request };
    // Late ones replace early ones, so that what is looked at comes from the whole run.
    if (this.#samples.length < samplesMax) this.#samples.push(sample);
    else this.#samples[this.#acknowledged % samplesMax] = sample;
  }
}

function countUp(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2] ?? '') as Load;
  try {
    console.log(JSON.stringify(await new LoadRun(task).run()));
  } catch (error) {
    console.error(String(error));
    process.exit(1);
  }
}
