import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { HeaderLines } from './signature.ts';

export interface Answer {
  readonly status: number;
  /** By lower-case name; lines of the same name joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly text: string;
}

export interface RequestOnTheWire {
  readonly method: string;
  readonly target: string;
  /** Exactly these lines are sent, `Host` and `Content-Length` among them. */
  readonly headers: HeaderLines;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
}

/** A connection that is silent for longer is given up. */
const silenceMsMax = 20_000;

/** Sends requests with every header under control. Connections are kept and reused. */
export class HttpClient {
  readonly url: URL;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.url = new URL(url);
  }

  close(): void {
    this.#agent.destroy();
  }

  send({ method, target, headers, body }: RequestOnTheWire): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = httpRequest({
      host: this.url.hostname,
      port: this.url.port,
      agent: this.#agent,
      method,
      path: target,
      headers: headers.flat(),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('aborted', () => reject(new Error('the answer was cut off')));
      incoming.on('end', () => {
        resolve(answerOf(incoming.statusCode ?? 0, incoming.rawHeaders, Buffer.concat(chunks)));
      });
    });
    outgoing.setTimeout(silenceMsMax, () => outgoing.destroy(new Error('nothing came any more')));
    // Not waited for: an answer may come before the body is over.
    sendBody(outgoing, body).catch(reject);
    return promise;
  }
}

async function sendBody(outgoing: ClientRequest, body: RequestOnTheWire['body']): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  for await (const chunk of body) outgoing.write(chunk);
  outgoing.end();
}

function answerOf(status: number, rawHeaders: readonly string[], body: Buffer): Answer {
  const headers = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return {
    status,
    headers,
    body,
    // Of an archive nobody asks for it.
    get text() {
      return body.toString('utf8');
    },
  };
}

/** The head of a request as bytes, for raw connections. */
export function headOf({ method, target, headers }: Omit<RequestOnTheWire, 'body'>): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

/** A connection over which a test says what it likes, and hears what comes back. */
export class RawConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port) });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    this.#socket.on('error', () => {
      // A connection that the server cut: `close` follows.
    });
    for (const event of ['end', 'close']) {
      this.#socket.on(event, () => {
        this.#isOver = true;
        this.#wake?.();
      });
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  /** Everything that came so far. */
  get text(): string {
    return this.#received.toString('latin1');
  }

  /** How many bytes were handed over to the network. */
  get writtenBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** Says that nothing more is to come. */
  end(): void {
    this.#socket.end();
  }

  /** Breaks the connection. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves once what came matches; rejects when the connection is over before, or too late. */
  async until(pattern: RegExp, deadlineMs = 10_000): Promise<string> {
    const expired = setTimeout(() => this.#socket.destroy(), deadlineMs);
    try {
      while (!pattern.test(this.text)) {
        if (this.#isOver) throw new Error(`${pattern} did not come, but: ${this.text}`);
        await this.#more();
      }
      return this.text;
    } finally {
      clearTimeout(expired);
    }
  }

  /** Resolves with everything that came, once the server has closed. */
  async untilClosed(deadlineMs = 10_000): Promise<string> {
    const expired = setTimeout(() => this.#socket.destroy(), deadlineMs);
    while (!this.#isOver) await this.#more();
    clearTimeout(expired);
    return this.text;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
