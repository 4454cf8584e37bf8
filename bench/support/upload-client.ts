import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runScript } from './child.ts';
import type { Stretch } from './part-source.ts';
import { headerOf } from './reply-reader.ts';
import type { Outgoing, Sending, Sent } from './send-bodies.ts';
import { SignedConnection, signedHead } from './signed-connection.ts';

/** Where a body is to come from, and how. */
export interface Sender {
  /** The file that stretches are of. */
  readonly bodies: string;
  /** Where the requests are written down for the process that sends them. */
  readonly directory: string;
  readonly connections: number;
}

/** An archive that was uploaded in parts. */
export interface Completed {
  readonly archiveId: string;
  readonly ms: number;
}

/** The multipart uploads of one vault of a measured server. */
export class UploadClient implements Disposable {
  readonly path: string;
  readonly #port: number;
  readonly #connection: SignedConnection;

  constructor(port: number, vaultName: string) {
    this.path = `/-/vaults/${vaultName}`;
    this.#port = port;
    this.#connection = new SignedConnection(port);
  }

  async createVault(): Promise<void> {
    await this.#connection.send('PUT', this.path);
  }

  /** Answers where the upload is. */
  async initiate(partSizeBytes: number): Promise<string> {
    const { head } = await this.#connection.request({
      method: 'POST',
      target: `${this.path}/multipart-uploads`,
      headers: ['x-amz-part-size', String(partSizeBytes)],
    });
    return `${this.path}/multipart-uploads/${headerOf(head, 'x-amz-multipart-upload-id')}`;
  }

  /** Puts the parts in their order, the first of them at `offsetBytes` of the archive. */
  putParts(
    upload: string,
    { parts, offsetBytes }: { readonly parts: readonly Stretch[]; readonly offsetBytes: number },
    sender: Sender,
  ): Promise<Sent> {
    let firstByte = offsetBytes;
    const requests = parts.map((part) => {
      const range = `bytes ${firstByte}-${firstByte + part.sizeBytes - 1}/*`;
      firstByte += part.sizeBytes;
      const headers = [...contentHeaders(part), 'Content-Range', range];
      return this.#outgoing(part, { method: 'PUT', target: upload, headers });
    });
    return this.#send(requests, sender);
  }

  /** One archive in one request. */
  async putWhole(whole: Stretch, sender: Sender): Promise<Sent> {
    const target = `${this.path}/archives`;
    const headers = contentHeaders(whole);
    return await this.#send([this.#outgoing(whole, { method: 'POST', target, headers })], sender);
  }

  async complete(
    upload: string,
    { sizeBytes, treeHash }: Pick<Stretch, 'sizeBytes' | 'treeHash'>,
  ): Promise<Completed> {
    const { head, ms } = await this.#connection.request({
      method: 'POST',
      target: upload,
      headers: ['x-amz-archive-size', String(sizeBytes), 'x-amz-sha256-tree-hash', treeHash],
    });
    const answered = headerOf(head, 'x-amz-sha256-tree-hash');
    if (answered !== treeHash) throw new Error(`The archive has another tree hash: ${answered}`);
    return { archiveId: headerOf(head, 'x-amz-archive-id') ?? '', ms };
  }

  /** Answers how long it took, in milliseconds. */
  async abort(upload: string): Promise<number> {
    const { ms } = await this.#connection.send('DELETE', upload);
    return ms;
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  #outgoing(
    part: Stretch,
    request: {
      readonly method: 'PUT' | 'POST';
      readonly target: string;
      readonly headers: readonly string[];
    },
  ): Outgoing {
    const { offsetBytes, sizeBytes, sha256, treeHash } = part;
    const head = signedHead(this.#port, { ...request, payloadSha256: sha256 });
    return { head, offsetBytes, sizeBytes, treeHash };
  }

  async #send(requests: readonly Outgoing[], sender: Sender): Promise<Sent> {
    const { bodies, directory, connections } = sender;
    const file = join(directory, 'requests.json');
    writeFileSync(file, JSON.stringify(requests));
    const task: Sending = { port: this.#port, bodies, requests: file, connections };
    try {
      return (await runScript('send-bodies.ts', task)) as Sent;
    } finally {
      rmSync(file);
    }
  }
}

function contentHeaders({ sizeBytes, sha256, treeHash }: Stretch): readonly string[] {
  return [
    ...['Content-Length', String(sizeBytes)],
    ...['x-amz-content-sha256', sha256],
    ...['x-amz-sha256-tree-hash', treeHash],
  ];
}
