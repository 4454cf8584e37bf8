import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../lib/clock.ts';
import { type AdminEndpoint, removeEndpoint, writeEndpoint } from '../lib/node/admin-endpoint.ts';
import { isSameSecret } from '../lib/node/same-secret.ts';
import type { RandomBytes } from '../lib/random.ts';
import { AdminError } from './admin-error.ts';
import { adminFailed, adminRefused, adminStarted, adminUnannounced } from './events.ts';
import { OwnHost } from './own-host.ts';
import { type AdminParts, registerAdminRoutes } from './routes.ts';

export interface AdminServerOptions extends AdminParts {
  readonly clock: Clock;
  /** What lets commands in: made for this start by `newAdminToken`. */
  readonly token: string;
  /** Where commands on this machine look for the endpoint. */
  readonly endpointPath: string;
  readonly pid: number;
  /** Further names by which requests may call it, each perhaps with a port. */
  readonly names: readonly string[];
}

/**
 * Serves the administrator and the machines that watch the server, on a port of its own.
 *
 * 1. What changes or shows what is kept needs the token; health and metrics do not.
 * 2. A request under another host's name is refused, so that no web page reaches it.
 * 3. The file that tells of it is there as long as it listens.
 */
export interface AdminServer {
  /** Starts to accept connections. Port 0 takes a free one. Answers its URL on this machine. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /** Stops accepting, and lets running requests finish for a moment. */
  close(): Promise<void>;
}

export function createAdminServer(options: AdminServerOptions): AdminServer {
  return new FastifyAdminServer(options);
}

export function newAdminToken(randomBytes: RandomBytes): string {
  return Buffer.from(randomBytes(32)).toString('base64url');
}

const bodyBytesMax = 16 * 1024;
const requestTimeoutMs = 30_000;
const connectionsMax = 64;
const drainMs = 2_000;

class FastifyAdminServer implements AdminServer {
  readonly #options: AdminServerOptions;
  readonly #app: FastifyInstance;
  #ownHost: OwnHost | undefined;
  #endpoint: AdminEndpoint | undefined;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#app = this.#createApp();
  }

  async listen({ host, port }: { host: string; port: number }): Promise<string> {
    const { log, token, pid, names, endpointPath } = this.#options;
    this.#ownHost = new OwnHost({ host, names });
    await this.#app.listen({ host, port });
    const url = this.#urlHere(host);
    this.#endpoint = { url, token, pid };
    try {
      writeEndpoint(endpointPath, this.#endpoint);
    } catch (error) {
      adminUnannounced(log, endpointPath, error);
    }
    adminStarted(log, url);
    return url;
  }

  async close(): Promise<void> {
    this.#withdraw();
    const closed = new AbortController();
    const cut = this.#options.clock.sleep(drainMs, closed.signal).then(
      () => this.#app.server.closeAllConnections(),
      () => {
        // Everything had finished in time.
      },
    );
    await this.#app.close();
    closed.abort();
    await cut;
  }

  #withdraw(): void {
    try {
      if (this.#endpoint !== undefined) removeEndpoint(this.#options.endpointPath, this.#endpoint);
    } catch {
      // It stays behind as after a crash: whoever reads it finds that nobody answers there.
    }
    this.#endpoint = undefined;
  }

  #createApp(): FastifyInstance {
    const app = fastify({
      logger: false,
      bodyLimit: bodyBytesMax,
      requestTimeout: requestTimeoutMs,
      forceCloseConnections: 'idle',
    });
    app.server.maxConnections = connectionsMax;
    // JSON alone: a form or a plain text is what a web page could send without asking first.
    app.removeContentTypeParser('text/plain');
    app.addHook('onRequest', async (request, reply) => this.#admit(request, reply));
    app.setNotFoundHandler(() => {
      throw new AdminError(404, 'There is nothing here.');
    });
    app.setErrorHandler((error, request, reply) => this.#answerError(error, request, reply));
    registerAdminRoutes(app, this.#options);
    return app;
  }

  /** Throws for what is not to be served. */
  #admit(request: FastifyRequest, reply: FastifyReply): void {
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    if (this.#ownHost?.includes(request.headers.host) !== true) {
      throw new AdminError(421, 'This server does not answer under that host name.');
    }
    if (request.routeOptions.config.isOpen === true || request.is404) return;
    if (!isToken(request.headers.authorization, this.#options.token)) {
      reply.header('www-authenticate', 'Bearer');
      throw new AdminError(401, 'This needs the token that stands in the file server.admin.');
    }
  }

  #answerError(error: unknown, { url }: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { log } = this.#options;
    const path = url.split('?')[0] ?? '';
    const known = AdminError.of(error);
    if (known.status === 401 || known.status === 421) adminRefused(log, known.message, path);
    if (known.status >= 500) adminFailed(log, path, error);
    return reply.code(known.status).send({ error: { message: known.message } });
  }

  /** Where a command on this machine reaches it. */
  #urlHere(host: string): string {
    const bound = this.#app.server.address();
    if (typeof bound !== 'object' || bound === null) throw new Error('The server has no address.');
    const { address, port } = bound;
    if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
    if (host === '::') return `http://[::1]:${port}`;
    return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  }
}

function isToken(header: string | undefined, token: string): boolean {
  return isSameSecret(header ?? '', `Bearer ${token}`);
}
