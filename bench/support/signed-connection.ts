import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { hmacSha256, sha256Hex } from '../../src/lib/node/sha256.ts';
import { sign } from '../../src/protocol/sigv4-signer.ts';
import { type ReplyHead, ReplyReader } from './reply-reader.ts';
import { rootKey } from './vault-client.ts';

export interface Answer {
  readonly head: ReplyHead;
  readonly body: Buffer;
  /** From the first byte of the request to the last one of the reply. */
  readonly ms: number;
  /** Until the first bytes of the reply's body were here; NaN where there were none. */
  readonly firstByteMs: number;
}

/** A request before it is signed. */
export interface Unsigned {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly target: string;
  /** Names and values, in turns, beyond what every request has. */
  readonly headers?: readonly string[];
  readonly payloadSha256?: string;
}

/** One connection that is kept open, for one request after the other. Signing is not timed. */
export class SignedConnection implements Disposable {
  readonly #port: number;
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #firstByteAtMs = Number.NaN;
  #settle: PromiseWithResolvers<ReplyHead> = Promise.withResolvers();

  constructor(port: number) {
    this.#port = port;
    const reader = new ReplyReader({
      body: (chunk) => {
        if (this.#chunks.push(chunk) === 1) this.#firstByteAtMs = performance.now();
      },
      end: (head) => this.#settle.resolve(head),
    });
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => reader.feed(chunk));
    this.#socket.on('error', (error) => this.#settle.reject(error));
    this.#socket.on('close', () => {
      this.#settle.reject(new Error('The server closed a connection.'));
    });
    // Nobody waits for an answer when it ends as it should.
    this.#settle.promise.catch(() => {});
  }

  /** Rejects when it is answered other than well. */
  send(method: Unsigned['method'], target: string, text = ''): Promise<Answer> {
    return this.request({ method, target }, text);
  }

  /** As above, for a request with headers of its own. */
  async request(unsigned: Unsigned, text = ''): Promise<Answer> {
    const { method, target, headers = [] } = unsigned;
    const head = signedHead(this.#port, {
      method,
      target,
      headers: ['Content-Length', String(Buffer.byteLength(text)), ...headers],
      payloadSha256: sha256Hex(text),
    });
    const request = Buffer.from(head + text, 'utf8');
    this.#chunks = [];
    this.#firstByteAtMs = Number.NaN;
    this.#settle = Promise.withResolvers();
    const sentAtMs = performance.now();
    this.#socket.write(request);
    const reply = await this.#settle.promise;
    const ms = performance.now() - sentAtMs;
    const firstByteMs = this.#firstByteAtMs - sentAtMs;
    const body = Buffer.concat(this.#chunks);
    if (reply.status < 300) return { head: reply, body, ms, firstByteMs };
    throw new Error(`${method} ${target} was answered ${reply.status}: ${body}`);
  }

  [Symbol.dispose](): void {
    this.#settle.promise.catch(() => {});
    this.#socket.destroy();
  }
}

/** The signed head of a request, as it goes over the wire before the body. */
export function signedHead(port: number, unsigned: Unsigned): string {
  const { method, target, headers = [], payloadSha256 = sha256Hex('') } = unsigned;
  const { rawHeaders } = sign(
    {
      method,
      target,
      rawHeaders: [
        ...['Host', `127.0.0.1:${port}`, 'x-amz-glacier-version', '2012-06-01'],
        ...headers,
      ],
      payloadSha256,
      dateMs: Date.now(),
      region: 'us-east-1',
      service: 'glacier',
    },
    rootKey,
    { sha256Hex, hmacSha256 },
  );
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  }
  return `${head}\r\n`;
}
