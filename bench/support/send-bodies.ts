import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { headerOf, type ReplyHead, ReplyReader } from './reply-reader.ts';

/**
 * Requests whose bodies are stretches of one file, over several connections, each with the next one
 * as soon as its last one is answered: a process of its own, so that its cost can be told apart.
 */
export interface Sending {
  readonly port: number;
  /** All of it is in memory before the first request. */
  readonly bodies: string;
  /** A file with the requests, as JSON: there may be more than fit into a command line. */
  readonly requests: string;
  readonly connections: number;
}

export interface Outgoing {
  /** As it goes over the wire: signed. */
  readonly head: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** What the reply says of the body, or the server has other bytes. */
  readonly treeHash: string;
}

export interface Sent {
  /** From the first byte of the first request to the last one of the last reply. */
  readonly seconds: number;
  /** Processor time of the client within them. */
  readonly cpuSeconds: number;
  /** What the last reply calls the archive, if it is about one. */
  readonly archiveId: string | null;
}

/** More would not fit into one call of the kernel's. */
const writeSizeBytesMax = 2 ** 28;

async function sendAll({ port, bodies, requests, connections }: Sending): Promise<Sent> {
  const bytes = bytesOf(bodies);
  const outgoing = JSON.parse(readFileSync(requests, 'utf8')) as readonly Outgoing[];
  const open = await Promise.all(
    Array.from({ length: connections }, () => Connection.open(port, bytes)),
  );
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  let next = 0;
  let last: ReplyHead | undefined;
  await Promise.all(
    open.map(async (connection) => {
      for (let one = outgoing[next++]; one !== undefined; one = outgoing[next++]) {
        last = await connection.send(one);
      }
    }),
  );
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  for (const connection of open) connection.end();
  const archiveId = last === undefined ? undefined : headerOf(last, 'x-amz-archive-id');
  return { seconds, cpuSeconds: (user + system) / 1e6, archiveId: archiveId ?? null };
}

class Connection {
  readonly #socket: Socket;
  readonly #bytes: Buffer;
  #complaint = '';
  #settle: PromiseWithResolvers<ReplyHead> = Promise.withResolvers();

  private constructor(socket: Socket, bytes: Buffer) {
    this.#socket = socket;
    this.#bytes = bytes;
    const reader = new ReplyReader({
      body: (chunk) => (this.#complaint += chunk),
      end: (head) => this.#settle.resolve(head),
    });
    socket.on('data', (chunk) => reader.feed(chunk));
    socket.on('error', (error) => this.#settle.reject(error));
    socket.on('close', () => this.#settle.reject(new Error('The server closed a connection.')));
    // Nobody waits for an answer when it ends as it should.
    this.#settle.promise.catch(() => {});
  }

  static open(port: number, bytes: Buffer): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Connection(socket, bytes)));
    });
  }

  async send({ head, offsetBytes, sizeBytes, treeHash }: Outgoing): Promise<ReplyHead> {
    this.#settle = Promise.withResolvers();
    this.#complaint = '';
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    const end = offsetBytes + sizeBytes;
    for (let at = offsetBytes; at < end; at += writeSizeBytesMax) {
      this.#socket.write(this.#bytes.subarray(at, Math.min(end, at + writeSizeBytesMax)));
    }
    this.#socket.uncork();
    const reply = await this.#settle.promise;
    if (reply.status >= 300) {
      throw new Error(`An upload was answered ${reply.status}: ${this.#complaint}`);
    }
    const answered = headerOf(reply, 'x-amz-sha256-tree-hash');
    if (answered !== treeHash) throw new Error(`The reply has another tree hash: ${answered}`);
    return reply;
  }

  end(): void {
    this.#settle.promise.catch(() => {});
    this.#socket.destroy();
  }
}

/** Read in pieces: one call of Node's reads no more than 2 GiB. */
function bytesOf(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.allocUnsafe(fstatSync(descriptor).size);
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(bytes.length - at, writeSizeBytesMax);
      at += readSync(descriptor, bytes, at, length, at);
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2] ?? '') as Sending;
  try {
    console.log(JSON.stringify(await sendAll(task)));
  } catch (error) {
    console.error(String(error));
    process.exit(1);
  }
}
