import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import fastify, { type FastifyInstance } from 'fastify';
import { type RandomBytes, randomId } from '../lib/random.ts';
import { idLengths } from '../protocol/names.ts';
import { refuseConnection, refuseTunnel } from './bad-connection.ts';
import { ClientGone } from './client-gone.ts';
import { writeError } from './error-writer.ts';
import {
  type RequestFacts,
  type RequestObserver,
  requestCompleted,
  requestsCut,
} from './events.ts';
import { Exchange } from './exchange.ts';
import { IdleTimers } from './idle-timer.ts';
import { carryOut, type PipelineParts } from './pipeline.ts';
import { originForm } from './request-target.ts';
import { type Route, registerRoutes } from './routes.ts';

export interface HttpServerOptions
  extends Omit<PipelineParts, 'bodyIdleTimers' | 'replyIdleTimers' | 'allowUtf8Descriptions'> {
  readonly randomBytes: RandomBytes;
  /** What `GET /healthz` answers. */
  readonly health: () => object;
  readonly observer?: RequestObserver | undefined;
  /** Certificate chain and private key, in PEM: with them, the listener speaks TLS. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** How long a client may send nothing of a body that is waited for. */
  readonly bodyIdleMs?: number | undefined;
  /** How long a client may take nothing of a reply that waits for it. */
  readonly replyIdleMs?: number | undefined;
  readonly allowUtf8Descriptions?: boolean | undefined;
}

export interface ListeningAddress {
  readonly address: string;
  readonly port: number;
}

export interface HttpServer {
  /** Starts to accept connections. Port 0 takes a free one. */
  listen(at: { readonly host: string; readonly port: number }): Promise<ListeningAddress>;
  /** Stops accepting, lets running requests finish for `drainMs`, then cuts the rest. */
  close(drainMs: number): Promise<void>;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new FastifyServer(options);
}

/** Clients keep connections in pools; ours outlive theirs, so that none closes under a request. */
const keepAliveTimeoutMs = 90_000;
const headersTimeoutMs = 60_000;
/** How often it is looked whether a head is late. */
const connectionsCheckMs = 5_000;
/** Room for a description, a session token and a long presigned URL. */
const headerSizeBytesMax = 64 * 1024;

class FastifyServer implements HttpServer {
  readonly #options: HttpServerOptions;
  readonly #parts: PipelineParts;
  readonly #app: FastifyInstance;
  readonly #servers: Server[] = [];
  readonly #running = new Set<Exchange>();
  readonly #expectContinue = new WeakSet<IncomingMessage>();
  #isClosing = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    const { clock, bodyIdleMs = 60_000, replyIdleMs = 600_000 } = options;
    this.#parts = {
      ...options,
      bodyIdleTimers: new IdleTimers({ clock, idleMs: bodyIdleMs }),
      replyIdleTimers: new IdleTimers({ clock, idleMs: replyIdleMs }),
      allowUtf8Descriptions: options.allowUtf8Descriptions ?? false,
    };
    this.#app = this.#createApp();
  }

  async listen({ host, port }: { host: string; port: number }): Promise<ListeningAddress> {
    await this.#app.listen({ host, port });
    const bound = this.#servers[0]?.address();
    if (typeof bound !== 'object' || bound === null) throw new Error('The server has no address.');
    return { address: bound.address, port: bound.port };
  }

  async close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    for (const { response } of this.#running) leaveConnection(response);
    const drained = new AbortController();
    const cut = this.#options.clock.sleep(drainMs, drained.signal).then(
      () => this.#cutAll(),
      () => {
        // Everything had finished in time.
      },
    );
    await this.#app.close();
    drained.abort();
    await cut;
    this.#parts.bodyIdleTimers.stop();
    this.#parts.replyIdleTimers.stop();
  }

  #cutAll(): void {
    if (this.#running.size > 0) requestsCut(this.#options.log, this.#running.size);
    for (const exchange of this.#running) exchange.abort(new Error('The server is stopping.'));
    for (const server of this.#servers) server.closeAllConnections();
  }

  #createApp(): FastifyInstance {
    const app = fastify({
      logger: false,
      exposeHeadRoutes: false,
      return503OnClosing: false,
      routerOptions: {
        caseSensitive: true,
        ignoreDuplicateSlashes: false,
        ignoreTrailingSlash: false,
        maxParamLength: headerSizeBytesMax,
        // Queries are parsed by `request-target.ts`, as signatures see them.
        querystringParser: () => ({}),
      },
      rewriteUrl: (request) => originForm(request.url ?? ''),
      // Paths that cannot be decoded lead nowhere; who sent them is asked first all the same.
      frameworkErrors: (_error, request, reply) => {
        reply.hijack();
        void this.#serve({ request: request.raw, response: reply.raw, route: undefined, path: {} });
      },
      clientErrorHandler: (error, socket) => refuseConnection(error, socket, this.#refusal()),
      serverFactory: (listener) => this.#createServer(listener),
    });
    // In this hook, because nothing of the body has been looked at here: its type does not matter.
    app.addHook('onRequest', async (request, reply) => {
      reply.hijack();
      const { raw, params } = request;
      const { serves } = request.routeOptions.config;
      if (serves === 'health') {
        this.#answerHealth(reply.raw);
        return;
      }
      const path = params as Readonly<Record<string, string | undefined>>;
      await this.#serve({ request: raw, response: reply.raw, route: serves, path });
    });
    registerRoutes(app);
    return app;
  }

  #createServer(listener: RequestListener): Server {
    const common = {
      maxHeaderSize: headerSizeBytesMax,
      headersTimeout: headersTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: connectionsCheckMs,
      // An upload may take hours; what may not happen is that nothing comes for long.
      requestTimeout: 0,
      // A missing host is a fault of the signature, and is answered as one.
      requireHostHeader: false,
    };
    const { tls } = this.#options;
    const server =
      tls === undefined ? createServer(common) : createTlsServer({ ...common, ...tls });
    // A client that has sent all it has to say may still listen. Not among Node's documented options.
    Object.assign(server, { httpAllowHalfOpen: true });
    server.on('request', listener);
    server.on('checkContinue', (request, response) => {
      this.#expectContinue.add(request);
      listener(request, response);
    });
    // Another expectation than `100-continue` is not met, and not worth a refusal.
    server.on('checkExpectation', listener);
    server.on('connect', ({ socket }) => refuseTunnel(socket, this.#refusal()));
    this.#servers.push(server);
    return server;
  }

  /** Sees a request through, from its head to its line in the log. Never rejects. */
  async #serve(incoming: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly route: Route | undefined;
    readonly path: Readonly<Record<string, string | undefined>>;
  }): Promise<void> {
    const { clock } = this.#options;
    const exchange = new Exchange({
      ...incoming,
      requestId: this.#newRequestId(),
      expectsContinue: this.#expectContinue.has(incoming.request),
      startedAtMs: clock.now(),
    });
    const { response } = exchange;
    this.#running.add(exchange);
    response.on('error', () => {
      // Writing to a client that has gone; the close that follows tells the pipeline.
    });
    response.on('close', () => {
      if (!response.writableFinished) exchange.abort(new ClientGone('The client has gone.'));
    });
    try {
      if (this.#isClosing) leaveConnection(response);
      await carryOut(exchange, this.#parts);
    } catch (error) {
      await writeError(exchange.defect ?? error, exchange, this.#options);
    } finally {
      this.#running.delete(exchange);
      this.#complete(exchange);
    }
  }

  #complete(exchange: Exchange): void {
    const { requestId, request, response, operation, status, code } = exchange;
    const facts: RequestFacts = {
      requestId,
      method: request.method ?? '',
      operation,
      status,
      code,
      isComplete: response.writableEnded,
      durationMs: this.#options.clock.now() - exchange.startedAtMs,
      bytesIn: exchange.body?.sizeBytes ?? 0,
      bytesOut: exchange.bytesOut,
      accessKeyId: exchange.accessKeyId,
    };
    requestCompleted(this.#options.log, facts);
    this.#options.observer?.(facts);
    if (this.#isClosing) response.on('close', () => this.#closeIdleConnections());
  }

  /** A connection that was kept for a next request, which will not be served here. */
  #closeIdleConnections(): void {
    for (const server of this.#servers) server.closeIdleConnections();
  }

  /** Always 200: reads are served in every condition. To HEAD, Node leaves the body out. */
  #answerHealth(response: ServerResponse): void {
    const body = Buffer.from(JSON.stringify(this.#options.health()), 'utf8');
    response.writeHead(200, {
      'x-amzn-RequestId': this.#newRequestId(),
      'Content-Type': 'application/json',
      'Content-Length': body.length,
    });
    response.end(body);
  }

  #newRequestId(): string {
    return randomId(this.#options.randomBytes, idLengths.request);
  }

  #refusal() {
    const { clock, log } = this.#options;
    return { clock, log, requestId: this.#newRequestId(), running: this.#running };
  }
}

/** Has the client open another connection for its next request. */
function leaveConnection(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
