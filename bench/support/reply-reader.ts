/** The head of a reply. */
export interface ReplyHead {
  readonly status: number;
  readonly text: string;
}

/**
 * Takes HTTP/1.1 replies apart, one after the other, as cheaply as it can: the client must cost
 * little beside the server. Bodies are those with a `Content-Length`; no other kind is expected.
 */
export class ReplyReader {
  readonly #onBody: (chunk: Buffer) => void;
  readonly #onEnd: (head: ReplyHead) => void;
  #text = '';
  #head: ReplyHead | undefined;
  #missingSizeBytes = 0;

  constructor(on: { body: (chunk: Buffer) => void; end: (head: ReplyHead) => void }) {
    this.#onBody = on.body;
    this.#onEnd = on.end;
  }

  feed(chunk: Buffer): void {
    let rest = chunk;
    if (this.#head === undefined) {
      const before = this.#text.length;
      this.#text += chunk.toString('latin1');
      const endAt = this.#text.indexOf('\r\n\r\n');
      if (endAt < 0) return;
      rest = chunk.subarray(endAt + 4 - before);
      this.#begin(this.#text.slice(0, endAt + 2));
    }
    if (rest.length > 0) {
      this.#missingSizeBytes -= rest.length;
      this.#onBody(rest);
    }
    if (this.#missingSizeBytes > 0 || this.#head === undefined) return;
    const head = this.#head;
    this.#head = undefined;
    this.#text = '';
    this.#onEnd(head);
  }

  #begin(text: string): void {
    const head = { status: Number(text.slice(9, 12)), text };
    this.#head = head;
    this.#missingSizeBytes = Number(headerOf(head, 'content-length') ?? 0);
  }
}

/** The value of a header, given by its lower-case name. */
export function headerOf({ text }: ReplyHead, name: string): string | undefined {
  const start = text.toLowerCase().indexOf(`\n${name}:`);
  if (start < 0) return undefined;
  const from = start + name.length + 2;
  return text.slice(from, text.indexOf('\r', from)).trim();
}
