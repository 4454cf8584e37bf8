import { request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { hmacSha256, sha256Hex } from '../../src/lib/node/sha256.ts';
import { sign } from '../../src/protocol/sigv4-signer.ts';

/** The key pair that every measured server is started with. */
export const rootKey = {
  accessKeyId: 'BENCHBENCHBENCHBENCH',
  secretAccessKey: 'a-secret-that-is-good-for-measuring-only',
} as const;

/** What an upload says about its body. */
export interface Upload {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly treeHash: string;
  readonly description: string;
}

interface Call {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** What follows the vault's path. */
  readonly under?: string;
  readonly headers?: readonly string[];
  readonly payloadSha256?: string;
}

interface Answer {
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

const pollMs = 20;

/** One vault of a measured server: what is needed around the transfers that are timed. */
export class VaultClient {
  readonly #port: number;
  readonly #path: string;

  constructor(port: number, vaultName: string) {
    this.#port = port;
    this.#path = `/-/vaults/${vaultName}`;
  }

  async create(): Promise<void> {
    await this.#call({ method: 'PUT' });
  }

  async numberOfArchives(): Promise<number> {
    const { body } = await this.#call({ method: 'GET' });
    const { NumberOfArchives } = JSON.parse(body.toString()) as { NumberOfArchives: number };
    return NumberOfArchives;
  }

  /** Has an archive retrieved, and waits until its job is done. */
  async retrieve(archiveId: string): Promise<{ readonly jobId: string; readonly seconds: number }> {
    const startedAtMs = performance.now();
    const parameters = JSON.stringify({ Type: 'archive-retrieval', ArchiveId: archiveId });
    const { headers } = await this.#call({ method: 'POST', under: '/jobs' }, parameters);
    const jobId = String(headers['x-amz-job-id']);
    for (;;) {
      const { body } = await this.#call({ method: 'GET', under: `/jobs/${jobId}` });
      const job = JSON.parse(body.toString()) as { StatusCode: string };
      if (job.StatusCode === 'Succeeded') break;
      if (job.StatusCode === 'Failed') throw new Error(`The retrieval failed: ${body}`);
      await sleep(pollMs);
    }
    return { jobId, seconds: (performance.now() - startedAtMs) / 1000 };
  }

  async output(jobId: string): Promise<Buffer> {
    const { body } = await this.#call({ method: 'GET', under: `/jobs/${jobId}/output` });
    return body;
  }

  /** The signed head of a request for a job's output, as it goes over the wire. */
  outputHead(jobId: string): string {
    return this.#head({ method: 'GET', under: `/jobs/${jobId}/output` });
  }

  /** The signed head of an upload, as it goes over the wire before the body. */
  uploadHead({ sizeBytes, sha256, treeHash, description }: Upload): string {
    return this.#head({
      method: 'POST',
      under: '/archives',
      payloadSha256: sha256,
      headers: [
        ...['Content-Length', String(sizeBytes)],
        ...['x-amz-archive-description', description],
        ...['x-amz-content-sha256', sha256],
        ...['x-amz-sha256-tree-hash', treeHash],
      ],
    });
  }

  #head(call: Call): string {
    const { method, target, rawHeaders } = this.#signed(call);
    let head = `${method} ${target} HTTP/1.1\r\n`;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
    }
    return `${head}\r\n`;
  }

  #signed({ method, under = '', headers = [], payloadSha256 = sha256Hex('') }: Call) {
    return sign(
      {
        method,
        target: `${this.#path}${under}`,
        rawHeaders: [
          ...['Host', `127.0.0.1:${this.#port}`, 'x-amz-glacier-version', '2012-06-01'],
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
  }

  #call(call: Call, text = ''): Promise<Answer> {
    const headers = ['Content-Length', String(Buffer.byteLength(text))];
    const signed = this.#signed({ ...call, headers, payloadSha256: sha256Hex(text) });
    const { method, target, rawHeaders } = signed;
    return new Promise((resolve, reject) => {
      const options = { method, path: target, port: this.#port, headers: rawHeaders };
      const sent = request({ ...options, host: '127.0.0.1' }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          const { statusCode = 0 } = response;
          if (statusCode < 300) resolve({ headers: response.headers, body });
          else reject(new Error(`${method} ${target} was answered ${statusCode}: ${body}`));
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }
}

/** Whole uploads of small bodies as they go over the wire, signed as of now. */
export function signedUploads(vault: VaultClient, bodies: readonly Buffer[]): readonly Buffer[] {
  return bodies.map((body, at) => {
    const sha256 = sha256Hex(body);
    // Up to one MiB the tree hash is the hash of the whole.
    const upload = { sizeBytes: body.length, sha256, treeHash: sha256, description: `no. ${at}` };
    return Buffer.concat([Buffer.from(vault.uploadHead(upload), 'latin1'), body]);
  });
}
