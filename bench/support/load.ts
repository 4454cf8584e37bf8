import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { headerOf, type ReplyHead, ReplyReader } from './reply-reader.ts';

/** Uploads over many connections at once, as fast as they are acknowledged: a process of its own. */
export interface Load {
  readonly port: number;
  /** Whole requests, signed beforehand and one behind the other; they are sent again and again. */
  readonly file: string;
  readonly requestSizesBytes: readonly number[];
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface Loaded {
  /** How many uploads were acknowledged, those of the warm-up among them. */
  readonly acknowledged: number;
  /** The rest is about the time after the warm-up. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the client, per second. */
  readonly cpuShare: number;
  /** Some of the archives, each with the request that stored it. */
  readonly samples: readonly { readonly archiveId: string; readonly request: number }[];
}

const samplesMax = 200;
const sampleEvery = 97;

class LoadRun {
  readonly #load: Load;
  readonly #requests: readonly Buffer[];
  readonly #samples: { archiveId: string; request: number }[] = [];
  readonly #latenciesMs: number[] = [];
  #next = 0;
  #acknowledged = 0;
  #measuredFromMs = 0;
  #measuredUntilMs = 0;

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
    const { connections, warmUpSeconds, seconds } = this.#load;
    this.#measuredFromMs = performance.now() + warmUpSeconds * 1000;
    this.#measuredUntilMs = this.#measuredFromMs + seconds * 1000;
    const cpu = { before: process.cpuUsage(), during: process.cpuUsage() };
    setTimeout(() => (cpu.before = process.cpuUsage()), warmUpSeconds * 1000);
    const until = (warmUpSeconds + seconds) * 1000;
    setTimeout(() => (cpu.during = process.cpuUsage(cpu.before)), until);
    await Promise.all(Array.from({ length: connections }, () => this.#connection()));
    const latencies = Float64Array.from(this.#latenciesMs).sort();
    const quantile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
    return {
      acknowledged: this.#acknowledged,
      perSecond: latencies.length / seconds,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      cpuShare: (cpu.during.user + cpu.during.system) / 1e6 / seconds,
      samples: this.#samples,
    };
  }

  /** Sends request after request over one connection until the time is over. */
  #connection(): Promise<void> {
    return new Promise((resolve, reject) => {
      let request = 0;
      let sentAtMs = 0;
      let complaint = '';
      const sendNext = (socket: Socket) => {
        request = this.#next++ % this.#requests.length;
        sentAtMs = performance.now();
        socket.write(this.#requests[request] ?? '');
      };
      const end = (head: ReplyHead) => {
        if (head.status !== 201) {
          reject(new Error(`An upload was answered ${head.status}: ${complaint}`));
          return;
        }
        const nowMs = performance.now();
        this.#take(head, request);
        if (nowMs >= this.#measuredFromMs && nowMs < this.#measuredUntilMs) {
          this.#latenciesMs.push(nowMs - sentAtMs);
        }
        if (nowMs < this.#measuredUntilMs) sendNext(socket);
        else {
          socket.end();
          resolve();
        }
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
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('The server closed a connection.')));
      socket.on('connect', () => sendNext(socket));
    });
  }

  #take(head: ReplyHead, request: number): void {
    this.#acknowledged++;
    if (this.#acknowledged % sampleEvery !== 1) return;
    const sample = { archiveId: headerOf(head, 'x-amz-archive-id') ?? '', request };
    // Late ones replace early ones, so that what is looked at comes from the whole run.
    if (this.#samples.length < samplesMax) this.#samples.push(sample);
    else this.#samples[this.#acknowledged % samplesMax] = sample;
  }
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
