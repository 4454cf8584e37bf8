import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { headerOf, type ReplyHead, ReplyReader } from './reply-reader.ts';

/** One request over one connection: a process of its own, so that its cost can be told apart. */
export interface Transfer {
  readonly port: number;
  /** The request's head, as it goes over the wire. */
  readonly head: string;
  /** The file that is its body, if it has one. */
  readonly file?: string;
  /** Whether the reply's body is hashed: a check, which is not to be timed. */
  readonly isHashed?: boolean;
}

export interface Transferred {
  readonly status: number;
  /** From the first byte of the request to the last one of the reply. */
  readonly seconds: number;
  /** Processor time of the client within them. */
  readonly cpuSeconds: number;
  readonly replySizeBytes: number;
  readonly replySha256: string | null;
  readonly archiveId: string | null;
  readonly treeHash: string | null;
  /** What an error reply says. */
  readonly complaint: string;
}

/** Fits into a processor's cache beside what the server works on. */
const bufferSizeBytes = 256 * 1024;

async function transfer({ port, head, file, isHashed }: Transfer): Promise<Transferred> {
  const sha256 = isHashed === true ? createHash('sha256') : undefined;
  let replySizeBytes = 0;
  let complaint = '';
  await using source = file === undefined ? undefined : await open(file);
  const { socket, replied } = await openConnection(port, (chunk) => {
    replySizeBytes += chunk.length;
    sha256?.update(chunk);
    if (replySizeBytes < 4096) complaint = chunk.toString();
  });
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  const sent = write(socket, Buffer.from(head, 'latin1')).then(() => sendFile(socket, source));
  // A server that refuses answers before it has everything; then the reply is what counts.
  const reply = await Promise.race([replied, sent.then(() => replied)]);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  socket.destroy();
  await sent.catch(() => {
    // The server stopped reading; its reply says why.
  });
  return {
    status: reply.status,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    replySizeBytes,
    replySha256: sha256?.digest('hex') ?? null,
    archiveId: headerOf(reply, 'x-amz-archive-id') ?? null,
    treeHash: headerOf(reply, 'x-amz-sha256-tree-hash') ?? null,
    complaint: reply.status < 300 ? '' : complaint,
  };
}

function openConnection(
  port: number,
  onBody: (chunk: Buffer) => void,
): Promise<{ readonly socket: Socket; readonly replied: Promise<ReplyHead> }> {
  const { promise: replied, resolve: reply, reject: fail } = Promise.withResolvers<ReplyHead>();
  const reader = new ReplyReader({ body: onBody, end: reply });
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      // One buffer for everything that is read: nothing is allocated per chunk.
      onread: {
        buffer: Buffer.allocUnsafe(bufferSizeBytes),
        callback: (sizeBytes, buffer) => {
          reader.feed(Buffer.from(buffer.buffer, buffer.byteOffset, sizeBytes));
          return true;
        },
      },
    });
    socket.on('error', (error) => {
      reject(error);
      fail(error);
    });
    socket.on('close', () => fail(new Error('The server closed the connection without a reply.')));
    socket.on('connect', () => resolve({ socket, replied }));
  });
}

/** Reads into one buffer while the other one is being written. */
async function sendFile(socket: Socket, source: FileHandle | undefined): Promise<void> {
  if (source === undefined) return;
  const buffers = [Buffer.allocUnsafe(bufferSizeBytes), Buffer.allocUnsafe(bufferSizeBytes)];
  let written: Promise<void> = Promise.resolve();
  for (let turn = 0; ; turn++) {
    const buffer = buffers[turn % 2] ?? Buffer.alloc(0);
    const { bytesRead } = await source.read(buffer, 0, buffer.length);
    await written;
    if (bytesRead === 0) return;
    written = write(socket, buffer.subarray(0, bytesRead));
  }
}

function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2] ?? '') as Transfer;
  console.log(JSON.stringify(await transfer(task)));
}
