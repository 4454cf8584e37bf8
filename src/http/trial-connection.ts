import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A reply as it came over the wire. Header names are in lower case. */
export interface WireReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** One character per byte. */
  readonly body: string;
}

/** A connection of a test: bytes go out as they are given, replies are read one by one. */
export class TrialConnection {
  readonly socket: Socket;
  #received = '';
  #isClosed = false;
  #wake: (() => void) | undefined;

  static async open(port: number): Promise<TrialConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new TrialConnection(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1');
      this.#wake?.();
    });
    socket.on('error', () => {
      // A reset shows as a close.
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake?.();
    });
  }

  /** Everything that came and is not part of a reply that was read. */
  get unread(): string {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** One character per byte. */
  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** The next reply, interim ones included. Fails when the connection closes before its end. */
  async reply({ isBodyless = false } = {}): Promise<WireReply> {
    const headEnd = await this.#until(() => this.#received.indexOf('\r\n\r\n'));
    const [statusLine = '', ...lines] = this.#received.slice(0, headEnd).split('\r\n');
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    const bodyStart = headEnd + 4;
    const sizeBytes = isBodyless ? 0 : Number(headers.get('content-length') ?? 0);
    await this.#until(() => (this.#received.length >= bodyStart + sizeBytes ? 0 : -1));
    const body = this.#received.slice(bodyStart, bodyStart + sizeBytes);
    this.#received = this.#received.slice(bodyStart + sizeBytes);
    return { status: Number(statusLine.split(' ')[1]), headers, body };
  }

  /** Resolves when the server has closed the connection. */
  async closed(): Promise<void> {
    await this.#until(() => (this.#isClosed ? 0 : -1));
  }

  close(): void {
    this.socket.destroy();
  }

  async #until(found: () => number): Promise<number> {
    for (;;) {
      const at = found();
      if (at >= 0) return at;
      if (this.#isClosed) throw new Error(`closed after: ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
