import assert from 'node:assert/strict';
import type { Api } from './api.ts';
import { jsonOf, uploadHeaders } from './deeds.ts';
import { assertError } from './expectations.ts';
import type { Answer, RequestOnTheWire } from './http.ts';
import type { HeaderLines } from './signature.ts';
import { mebibyte, treeHashOf } from './tree-hash-reference.ts';

/** Headers to send otherwise than usual: with another value, or, where it is null, not at all. */
export type HeaderChanges = Readonly<Record<string, string | null>>;

export interface PartList {
  readonly ArchiveDescription: string | null;
  readonly CreationDate: string;
  readonly Marker: string | null;
  readonly MultipartUploadId: string;
  readonly PartSizeInBytes: number;
  readonly Parts: readonly { readonly RangeInBytes: string; readonly SHA256TreeHash: string }[];
  readonly VaultARN: string;
}

export interface UploadList {
  readonly Marker: string | null;
  readonly UploadsList: readonly {
    readonly ArchiveDescription: string | null;
    readonly CreationDate: string;
    readonly MultipartUploadId: string;
    readonly PartSizeInBytes: number;
    readonly VaultARN: string;
  }[];
}

export interface InitiateOptions {
  readonly partSizeBytes?: number;
  readonly description?: string;
}

/** The bytes of an archive, cut into parts of `partSizeBytes` with their places in it. */
export function partsOf(whole: Buffer, partSizeBytes = mebibyte): (readonly [number, Buffer])[] {
  return Array.from({ length: Math.ceil(whole.length / partSizeBytes) }, (_, index) => {
    const at = index * partSizeBytes;
    return [at, whole.subarray(at, at + partSizeBytes)] as const;
  });
}

/** A multipart upload, known by its id to somebody who calls `api`. */
export class Multipart {
  readonly api: Api;
  readonly vault: string;
  readonly id: string;

  constructor(api: Api, vault: string, id: string) {
    this.api = api;
    this.vault = vault;
    this.id = id;
  }

  static async initiate(
    api: Api,
    vault: string,
    { partSizeBytes = mebibyte, description }: InitiateOptions = {},
  ): Promise<Multipart> {
    const answer = await initiateWith(api, vault, {
      'x-amz-part-size': String(partSizeBytes),
      ...(description === undefined ? {} : { 'x-amz-archive-description': description }),
    });
    assert.equal(answer.status, 201, answer.text);
    return new Multipart(api, vault, answer.headers.get('x-amz-multipart-upload-id') ?? '');
  }

  get target(): string {
    return `/-/vaults/${this.vault}/multipart-uploads/${this.id}`;
  }

  /** A request for a part that starts at byte `at` of the archive. */
  partRequest(at: number, bytes: Uint8Array, changes: HeaderChanges = {}): RequestOnTheWire {
    const usual: HeaderLines = [
      ...uploadHeaders(bytes),
      ['Content-Range', `bytes ${at}-${at + bytes.length - 1}/*`],
    ];
    const without = 'Content-Length' in changes ? ['content-length'] : [];
    const headers = changed(usual, changes);
    return this.api.prepare('PUT', this.target, { body: bytes, headers, without });
  }

  /** Sends a part, whatever the answer. */
  send(at: number, bytes: Uint8Array, changes: HeaderChanges = {}): Promise<Answer> {
    return this.api.transmit(this.partRequest(at, bytes, changes));
  }

  async put(at: number, bytes: Uint8Array): Promise<void> {
    const answer = await this.send(at, bytes);
    assert.equal(answer.status, 204, answer.text);
  }

  /** Puts all parts of an archive, one after the other. */
  async putAll(whole: Buffer, partSizeBytes = mebibyte): Promise<void> {
    for (const [at, bytes] of partsOf(whole, partSizeBytes)) await this.put(at, bytes);
  }

  /** Asks for the parts, whatever the answer. */
  list(query = ''): Promise<Answer> {
    return this.api.call('GET', `${this.target}${query}`);
  }

  async page(query = ''): Promise<PartList> {
    return jsonOf<PartList>(await this.list(query));
  }

  /** The ranges of the parts, as the first page shows them. */
  async ranges(): Promise<string[]> {
    return (await this.page()).Parts.map(({ RangeInBytes }) => RangeInBytes);
  }

  /** Asks for completion as the archive `whole`, whatever the answer. */
  finish(whole: Uint8Array, changes: HeaderChanges = {}): Promise<Answer> {
    const usual: HeaderLines = [
      ['x-amz-archive-size', String(whole.length)],
      ['x-amz-sha256-tree-hash', treeHashOf(whole)],
    ];
    return this.api.call('POST', this.target, { headers: changed(usual, changes) });
  }

  /** Completes the upload as the archive `whole`, and returns the archive's id. */
  async complete(whole: Uint8Array): Promise<string> {
    const answer = await this.finish(whole);
    assert.equal(answer.status, 201, answer.text);
    return answer.headers.get('x-amz-archive-id') ?? '';
  }

  /** Asks for the end of the upload, whatever the answer. */
  abort(): Promise<Answer> {
    return this.api.call('DELETE', this.target);
  }
}

/** Asks for an upload with just these headers, whatever the answer. */
export function initiateWith(api: Api, vault: string, headers: HeaderChanges): Promise<Answer> {
  return api.call('POST', `/-/vaults/${vault}/multipart-uploads`, {
    headers: changed([], headers),
  });
}

export async function listUploads(api: Api, vault: string, query = ''): Promise<UploadList> {
  return jsonOf<UploadList>(await api.call('GET', `/-/vaults/${vault}/multipart-uploads${query}`));
}

/** An archive that was uploaded in parts. */
export async function uploadInParts(
  api: Api,
  vault: string,
  whole: Buffer,
  options: InitiateOptions = {},
): Promise<string> {
  const upload = await Multipart.initiate(api, vault, options);
  await upload.putAll(whole, options.partSizeBytes);
  return upload.complete(whole);
}

function changed(usual: HeaderLines, changes: HeaderChanges): HeaderLines {
  const added = Object.entries(changes).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const],
  );
  return [...usual.filter(([name]) => !(name in changes)), ...added];
}

export function assertUnknownUpload(answer: Answer, { id }: Pick<Multipart, 'id'>): void {
  assertError(answer, 404, 'ResourceNotFoundException', `The upload ID was not found: ${id}`);
}

export function assertInvalid(answer: Answer, message: string | RegExp): void {
  assertError(answer, 400, 'InvalidParameterValueException', message);
}

export function assertMissing(answer: Answer, name: string): void {
  const message = `Required parameter missing: ${name}`;
  assertError(answer, 400, 'MissingParameterValueException', message);
}
