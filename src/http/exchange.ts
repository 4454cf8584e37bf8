import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GlacierError } from '../protocol/errors.ts';
import type { OperationName } from '../protocol/operations.ts';
import { type HeaderMap, headersOf, type SignedRequest } from '../protocol/sigv4.ts';
import type { RequestBody } from './body.ts';
import { parseQuery, type Query } from './request-target.ts';
import type { Route } from './routes.ts';

export interface ExchangeOptions {
  readonly requestId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route | undefined;
  /** Members of the path, percent-decoded. */
  readonly path: Readonly<Record<string, string | undefined>>;
  /** Whether the client waits for `100 Continue`. */
  readonly expectsContinue: boolean;
  readonly startedAtMs: number;
}

/** One request and its reply, with what becomes known of them on the way. */
export class Exchange {
  readonly requestId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route | undefined;
  readonly path: Readonly<Record<string, string | undefined>>;
  readonly query: Query;
  readonly headers: HeaderMap;
  readonly startedAtMs: number;

  /** For the log. */
  operation: OperationName | null = null;
  accessKeyId: string | null = null;
  status: number | null = null;
  code: string | null = null;
  bytesOut = 0;

  body: RequestBody | undefined;

  readonly #abort = new AbortController();
  #defect: GlacierError | undefined;
  #expectsContinue: boolean;

  constructor(options: ExchangeOptions) {
    this.requestId = options.requestId;
    this.request = options.request;
    this.response = options.response;
    this.route = options.route;
    this.path = options.path;
    this.query = parseQuery(options.request.url ?? '');
    this.headers = headersOf(options.request.rawHeaders);
    this.startedAtMs = options.startedAtMs;
    this.#expectsContinue = options.expectsContinue;
  }

  /** Aborted when the client has gone away, or when the server must stop. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
  }

  /** What makes the request no HTTP although its head is: the answer, whatever else is wrong. */
  get defect(): GlacierError | undefined {
    return this.#defect;
  }

  /** To be called when something came behind the head that is no body; nothing can follow it. */
  breakOff(defect: GlacierError): void {
    this.#defect ??= defect;
    this.body?.breakOff(defect);
  }

  get signedRequest(): SignedRequest {
    const { method = '', url = '', rawHeaders } = this.request;
    return { method, target: url, rawHeaders, headerMap: this.headers };
  }

  /** What `Content-Length` says; 0 when it is absent. */
  get announcedSizeBytes(): number {
    return Number(this.headers.get('content-length') ?? 0);
  }

  /** Whether a body was announced, be it with its length or in chunks. */
  get hasBody(): boolean {
    return this.announcedSizeBytes > 0 || this.headers.has('transfer-encoding');
  }

  /** Tells a client that waits for it that its body is welcome. */
  welcomeBody(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    this.response.writeContinue();
  }
}
