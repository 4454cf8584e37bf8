import { type Answer, HttpClient, type RequestOnTheWire } from './http.ts';
import {
  authorizationOf,
  basicDate,
  type Credentials,
  type HeaderLines,
  presignedTarget,
  type Signing,
  sha256Hex,
} from './signature.ts';

export interface ApiOptions {
  readonly url: string;
  readonly credentials: Credentials;
  readonly region?: string;
  /** The time that requests are dated with. */
  readonly now?: () => number;
}

export interface CallOptions {
  /** Further headers, signed where their names begin with `x-amz-`. */
  readonly headers?: HeaderLines;
  readonly body?: Uint8Array | string | undefined;
  /** Lower-case names of headers that are left out although they are usual. */
  readonly without?: readonly string[];
  /** What is signed otherwise than it should be. */
  readonly signing?: Partial<Signing>;
}

/** Calls the API with signed requests, as a client would that was written for these tests. */
export class Api {
  readonly url: string;
  readonly credentials: Credentials;
  readonly region: string;
  readonly now: () => number;
  readonly #http: HttpClient;

  constructor({ url, credentials, region = 'us-east-1', now = () => Date.now() }: ApiOptions) {
    this.url = url;
    this.credentials = credentials;
    this.region = region;
    this.now = now;
    this.#http = new HttpClient(url);
  }

  [Symbol.dispose](): void {
    this.#http.close();
  }

  /** The same server, asked by somebody else, or in another region. */
  as(changes: Partial<ApiOptions>): Api {
    const { url, credentials, region, now } = this;
    return new Api({ url, credentials, region, now, ...changes });
  }

  get host(): string {
    return this.#http.url.host;
  }

  call(method: string, target: string, options: CallOptions = {}): Promise<Answer> {
    return this.transmit(this.prepare(method, target, options));
  }

  transmit(request: RequestOnTheWire): Promise<Answer> {
    return this.#http.send(request);
  }

  /** A signed request, as it is to be sent. */
  prepare(method: string, target: string, options: CallOptions = {}): RequestOnTheWire {
    const body = options.body === undefined ? undefined : Buffer.from(options.body);
    const signing = this.#signing(body, options);
    const usual: HeaderLines = [
      ['Host', this.host],
      ['X-Amz-Date', basicDate(signing.dateMs)],
      ['x-amz-glacier-version', '2012-06-01'],
      ['Content-Length', String(body?.length ?? 0)],
    ];
    const without = new Set(options.without);
    if (method === 'GET' || method === 'DELETE') {
      if (body === undefined) without.add('content-length');
    }
    const headers = [
      ...usual.filter(([name]) => !without.has(name.toLowerCase())),
      ...(options.headers ?? []),
    ];
    const signedNames = options.signing?.signedNames ?? signableNames(headers);
    const authorization = authorizationOf({ method, target, headers }, { ...signing, signedNames });
    return { method, target, headers: [...headers, ['Authorization', authorization]], body };
  }

  /** The target of a request whose URL alone is good for a while. */
  presign(
    method: string,
    target: string,
    { expiresSeconds = 600, ...options }: { expiresSeconds?: number } & CallOptions = {},
  ): string {
    const headers: HeaderLines = [['Host', this.host], ...(options.headers ?? [])];
    const signing = { ...this.#signing(undefined, options), expiresSeconds };
    const signedNames = options.signing?.signedNames ?? ['host'];
    return presignedTarget({ method, target, headers }, { ...signing, signedNames });
  }

  #signing(body: Uint8Array | undefined, options: CallOptions): Signing {
    const claimed = options.headers?.find(([name]) => /^x-amz-content-sha256$/i.test(name))?.[1];
    return {
      credentials: this.credentials,
      region: this.region,
      service: 'glacier',
      terminator: 'aws4_request',
      dateMs: this.now(),
      payloadSha256: claimed || sha256Hex(body ?? ''),
      signedNames: [],
      pathEncodings: 2,
      ...options.signing,
    };
  }
}

function signableNames(headers: HeaderLines): string[] {
  const names = headers.map(([name]) => name.toLowerCase());
  const signable = names.filter((name) => name === 'host' || name.startsWith('x-amz-'));
  return [...new Set(signable)].sort();
}
