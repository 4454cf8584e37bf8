import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

const root = join(import.meta.dirname, '../..');

/** How a process ended: with a status, or by a signal. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server in a process of its own. */
export interface SpawnedServer extends AsyncDisposable {
  readonly url: string;
  /** What it wrote to standard output so far. */
  readonly stdout: () => string;
  /** Ends it without warning: SIGKILL. */
  kill(): Promise<void>;
  /** Asks it to stop, SIGTERM, without waiting for it. */
  askToStop(): void;
  /** How it ended, once it has. */
  readonly ended: Promise<Ending>;
}

export interface SpawnOptions {
  readonly dataDirectory: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command, with its arguments, that runs the server's: a tracer, for one. */
  readonly wrapper?: readonly string[];
}

export interface Launched {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Ending>;
}

/** Starts the server's process, whether it will serve or not. */
export function launch({ dataDirectory, env = {}, wrapper = [] }: SpawnOptions): Launched {
  const [command = process.execPath, ...args] = [...wrapper, process.execPath, 'src/main.ts'];
  const child = spawn(command, args, {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      FIRN_LISTEN: '127.0.0.1:0',
      FIRN_DATA_DIR: dataDirectory,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { promise: ended, resolve } = Promise.withResolvers<Ending>();
  child.on('close', (code, signal) => resolve({ code, signal }));
  return { child, stdout: textOf(child.stdout), stderr: textOf(child.stderr), ended };
}

function textOf(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

/** Starts a server as a user does, `node src/main.ts`; resolves once it answers. */
export async function spawnServer(options: SpawnOptions): Promise<SpawnedServer> {
  const { child, stdout, stderr, ended } = launch(options);
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  const url = await eventually('the server answers', async () => {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the server has ended: ${stdout()}${stderr()}`);
    }
    const found = /answers at (http:\/\/\S+)/.exec(stdout())?.[1];
    return found !== undefined && (await isHealthy(found)) && found;
  }).catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  return {
    url,
    stdout,
    kill,
    askToStop: () => void child.kill('SIGTERM'),
    ended,
    [Symbol.asyncDispose]: kill,
  };
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).status === 200;
  } catch {
    // Nobody listens there yet.
    return false;
  }
}
