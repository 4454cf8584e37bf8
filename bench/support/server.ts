import { closeSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { freePort, startChild } from './child.ts';
import { rootKey } from './vault-client.ts';

/** A Firn that runs as a process of its own. */
export interface BenchServer extends AsyncDisposable {
  readonly port: number;
  /** From its start until `/healthz` answered 200. */
  readonly startSeconds: number;
  /** The most memory that the process ever had resident; NaN where that cannot be told. */
  peakMemoryMib(): number;
  /** Processor time of the process so far; NaN where that cannot be told. */
  cpuSeconds(): number;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

/**
 * Starts the server as `npm start` does, with the settings as they are by default, its log going to
 * a file. On an empty directory it begins anew; on one that it has been on, it goes on.
 */
export async function startServer(options: {
  readonly directory: string;
  /** Where Node writes its profile of the server's processor time, when one is wanted. */
  readonly profileDirectory: string | undefined;
}): Promise<BenchServer> {
  const project = join(import.meta.dirname, '../..');
  const main = join(project, 'src/main.ts');
  const { profileDirectory, directory } = options;
  const profiling =
    profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const logFile = join(directory, 'server.log');
  const log = openSync(logFile, 'a');
  const port = await freePort();
  try {
    const nodeArguments = [...startFlags(project), ...profiling, main];
    const child = await startChild(process.execPath, nodeArguments, {
      isReady: () => isHealthy(port),
      errorTo: log,
      env: {
        ...withoutSettings(process.env),
        FIRN_LISTEN: `127.0.0.1:${port}`,
        FIRN_DATA_DIR: join(directory, 'data'),
        FIRN_ROOT_ACCESS_KEY_ID: rootKey.accessKeyId,
        FIRN_ROOT_SECRET_ACCESS_KEY: rootKey.secretAccessKey,
      },
    });
    return {
      port,
      startSeconds: child.startSeconds,
      peakMemoryMib: () => peakMemoryMib(child.pid),
      cpuSeconds: () => cpuSeconds(child.pid),
      kill: () => child.kill(),
      [Symbol.asyncDispose]: async () => {
        try {
          await child[Symbol.asyncDispose]();
        } catch (cause) {
          throw new Error(`The server failed: ${lastWords(logFile)}`, { cause });
        }
      },
    };
  } catch (cause) {
    throw new Error(`The server does not start: ${lastWords(logFile)}`, { cause });
  } finally {
    closeSync(log);
  }
}

function lastWords(logFile: string): string {
  return readFileSync(logFile, 'utf8').slice(-2000);
}

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path: '/healthz', agent: false }, (reply) => {
      reply.resume();
      resolve(reply.statusCode === 200);
    });
    sent.on('error', () => resolve(false));
    sent.end();
  });
}

/** What someone set for a server of their own is not what is measured. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('FIRN_')));
}

function peakMemoryMib(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** Linux counts in hundredths of a second, whatever the kernel's own clock. */
const ticksPerSecond = 100;

function cpuSeconds(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name, in brackets, may hold anything; the third field follows it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The flags that `npm start` gives to Node. */
function startFlags(project: string): string[] {
  const manifest: { scripts: { start: string } } = JSON.parse(
    readFileSync(join(project, 'package.json'), 'utf8'),
  );
  const flags = /\bnode ((?:--\S+ )*)src\/main\.ts/.exec(manifest.scripts.start)?.[1] ?? '';
  return flags.split(' ').filter((flag) => flag !== '');
}
