import { setImmediate } from 'node:timers/promises';
import { Authenticator } from '../auth/authenticate.ts';
import { Authorizer } from '../auth/authorize.ts';
import { nodeHashes } from '../auth/signing-keys.ts';
import { SimulatedClock } from '../lib/clock.ts';
import type { Facts, Log } from '../lib/log.ts';
import { systemRandomBytes } from '../lib/node/random.ts';
import { sha256Hex } from '../lib/node/sha256.ts';
import type { Services } from '../operations/handler.ts';
import { sign } from '../protocol/sigv4-signer.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts';
import { TrialConnection, type WireReply } from './trial-connection.ts';

export const trialAccountId = '111122223333';
export const otherAccountId = '444455556666';

const credential = {
  accessKeyId: 'AKIDTRIAL',
  secretAccessKey: 'a secret for tests',
  accountId: trialAccountId,
  principalArn: `arn:aws:iam::${trialAccountId}:root`,
  isActive: true,
};

/** Services of which a test gives the methods that its request comes to. */
export type FakeServices = {
  readonly [S in keyof Services]?: Partial<Services[S]>;
};

export interface TrialOptions extends Partial<Omit<HttpServerOptions, 'services'>> {
  readonly services?: FakeServices;
}

/** A request of a test. Texts hold one character per byte. */
export interface TrialRequest {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether `Content-Length` goes out by itself; yes unless said otherwise. */
  readonly measure?: boolean;
  /** The hash to sign; that of the body unless said otherwise. */
  readonly payloadSha256?: string;
  readonly isSigned?: boolean;
  /** Headers added after signing. A value of `null` takes a header away that is signed. */
  readonly afterSigning?: Readonly<Record<string, string | null>>;
}

export interface LoggedEvent {
  readonly event: string;
  readonly facts: Facts;
}

/** The server on a free port of this machine, with a clock that stands still. */
export class Trial implements AsyncDisposable {
  readonly clock = new SimulatedClock();
  readonly events: LoggedEvent[] = [];
  readonly server: HttpServer;
  port = 0;
  readonly #connections: TrialConnection[] = [];

  static async start(options: TrialOptions = {}): Promise<Trial> {
    const trial = new Trial(options);
    trial.port = (await trial.server.listen({ host: '127.0.0.1', port: 0 })).port;
    return trial;
  }

  private constructor({ services = {}, ...options }: TrialOptions) {
    const record = (event: string, facts: Facts = {}) => {
      this.events.push({ event, facts });
    };
    const log: Log = { info: record, warn: record, error: record };
    const credentials = async (id: string) =>
      id === credential.accessKeyId ? credential : undefined;
    this.server = createHttpServer({
      authenticator: new Authenticator({ credentials, clock: this.clock }),
      authorizer: new Authorizer({
        accounts: { exists: async (id) => [trialAccountId, otherAccountId].includes(id) },
      }),
      services: services as Services,
      clock: this.clock,
      log,
      randomBytes: systemRandomBytes,
      health: () => ({ status: 'ok' }),
      ...options,
    });
  }

  async connect(): Promise<TrialConnection> {
    const connection = await TrialConnection.open(this.port);
    this.#connections.push(connection);
    return connection;
  }

  /** The bytes of a request up to its body, signed as of the clock. */
  head(request: TrialRequest): string {
    const { method, target, body = '', measure = true, isSigned = true } = request;
    const length = body === '' || !measure ? {} : { 'Content-Length': String(body.length) };
    const headers = {
      Host: `127.0.0.1:${this.port}`,
      'x-amz-glacier-version': '2012-06-01',
      ...length,
      ...request.headers,
    };
    let rawHeaders: readonly string[] = Object.entries(headers).flat();
    if (isSigned) {
      const payloadSha256 =
        request.payloadSha256 ??
        new Map(Object.entries(headers)).get('x-amz-content-sha256') ??
        sha256Hex(Buffer.from(body, 'latin1'));
      ({ rawHeaders } = sign(
        {
          method,
          target,
          rawHeaders,
          payloadSha256,
          dateMs: this.clock.now(),
          region: 'us-east-1',
          service: 'glacier',
        },
        credential,
        nodeHashes,
      ));
    }
    return format(method, target, rawHeaders, request.afterSigning ?? {});
  }

  /** Sends a request on a connection of its own and returns the reply. */
  async send(request: TrialRequest): Promise<WireReply> {
    const connection = await this.connect();
    connection.write(this.head(request) + (request.body ?? ''));
    const reply = await connection.reply({ isBodyless: request.method === 'HEAD' });
    connection.close();
    return reply;
  }

  /** Sends a request and returns its reply as `<status> <code>: <message>`. */
  async errorOf(request: TrialRequest): Promise<string> {
    return errorIn(await this.send(request));
  }

  eventsOf(event: string): Facts[] {
    return this.events.filter((logged) => logged.event === event).map(({ facts }) => facts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await this.server.close(0);
  }
}

/** An upload of `body`, with the headers that it needs. */
export function uploadOf(body: string, changes: Partial<TrialRequest> = {}): TrialRequest {
  const { headers, ...others } = changes;
  return {
    method: 'POST',
    target: '/-/vaults/photos/archives',
    body,
    headers: {
      'x-amz-content-sha256': sha256Hex(Buffer.from(body, 'latin1')),
      'x-amz-sha256-tree-hash': 'ab'.repeat(32),
      ...headers,
    },
    ...others,
  };
}

export function errorIn({ status, body }: WireReply): string {
  if (body === '') return String(status);
  const { code, message } = JSON.parse(body) as { code: string; message: string };
  return `${status} ${code}: ${message}`;
}

/** Waits until `condition` holds; a test that waits in vain runs into its time limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

function format(
  method: string,
  target: string,
  rawHeaders: readonly string[],
  changes: Readonly<Record<string, string | null>>,
): string {
  const lines = [`${method} ${target} HTTP/1.1`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (changes[rawHeaders[at] ?? ''] !== null)
      lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  for (const [name, value] of Object.entries(changes)) {
    if (value !== null) lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
