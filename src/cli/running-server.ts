import {
  type AdminEndpoint,
  endpointPath,
  newChallenge,
  proofOf,
  readEndpoint,
} from '../lib/node/admin-endpoint.ts';
import type { ListedAccount, NewAccount, RunningServer } from './host.ts';
import type { ArchivePage, StatusReport } from './reports.ts';

const answerTimeoutMs = 60_000;

/**
 * The server that runs on a data directory and has told of its admin endpoint there; null when none
 * does. What a killed server left behind is recognised: nobody answers there, or somebody who can't
 * prove to have the token, and who does not get to see it.
 */
export async function findRunningServer({
  dataDirectory,
  version,
  timeoutMs = 5_000,
}: {
  readonly dataDirectory: string;
  readonly version: string;
  /** How long it may take to say who it is. */
  readonly timeoutMs?: number;
}): Promise<RunningServer | null> {
  const path = endpointPath(dataDirectory);
  const endpoint = readEndpoint(path);
  if (endpoint === undefined) return null;
  const identity = await identityOf(endpoint, { path, timeoutMs });
  if (identity === undefined) return null;
  if (identity.version !== version) {
    // Answers are understood only between equals.
    throw new Error(
      `The server that runs on ${dataDirectory} is Firn ${identity.version}, and this is ` +
        `${version}: use the same, or restart the server.`,
    );
  }
  return new AskedServer(endpoint);
}

/** Which server it is, once it has proved to be the one that the file tells of. */
async function identityOf(
  endpoint: AdminEndpoint,
  { path, timeoutMs }: { readonly path: string; readonly timeoutMs: number },
): Promise<{ readonly version: string } | undefined> {
  const challenge = newChallenge();
  let document: unknown;
  try {
    const reply = await fetch(`${endpoint.url}/identity?challenge=${challenge}`, {
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    document = await reply.json();
  } catch (error) {
    if (isTimeout(error) && isProcessThere(endpoint.pid)) throw silent(endpoint, path, error);
    // Nobody listens there any more, or somebody who speaks something else.
    return undefined;
  }
  if (typeof document !== 'object' || document === null) return undefined;
  const { version, pid, proof }: Readonly<Record<string, unknown>> = { ...document };
  const isOurs = proof === proofOf(endpoint.token, challenge) && pid === endpoint.pid;
  return isOurs && typeof version === 'string' ? { version } : undefined;
}

function silent({ url, pid }: AdminEndpoint, path: string, cause: unknown): Error {
  return new Error(
    `The server of process ${pid} does not answer at ${url}. When it is no Firn server, remove ` +
      `${path}, which a killed one has left behind.`,
    { cause },
  );
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

function isProcessThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It may be there and belong to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** What it answers is of this version, as its identity says: its documents have our shapes. */
class AskedServer implements RunningServer {
  readonly #endpoint: AdminEndpoint;

  readonly accounts: RunningServer['accounts'] = {
    create: async (account) => (await this.#ask('POST', '/accounts', account)) as NewAccount,
    list: async () => {
      const document = await this.#ask('GET', '/accounts');
      return (document as { readonly accounts: readonly ListedAccount[] }).accounts;
    },
  };

  readonly status: RunningServer['status'] = {
    report: async () => (await this.#ask('GET', '/status')) as StatusReport,
    archives: async ({ after, limit, vaultName }) => {
      const query = new URLSearchParams({ after: String(after), limit: String(limit) });
      if (vaultName !== null) query.set('vault', vaultName);
      return (await this.#ask('GET', `/archives?${query}`)) as ArchivePage;
    },
  };

  constructor(endpoint: AdminEndpoint) {
    this.#endpoint = endpoint;
  }

  async #ask(method: 'GET' | 'POST', target: string, body?: object): Promise<unknown> {
    const { url, token } = this.#endpoint;
    const reply = await fetch(`${url}${target}`, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(answerTimeoutMs),
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new Error(`The server that runs does not answer at ${url}.`, { cause });
    });
    const document: unknown = await reply.json();
    if (reply.ok) return document;
    const { error } = document as { readonly error?: { readonly message?: string } };
    throw new Error(error?.message ?? `The server that runs answered ${reply.status}.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It goes on running.
  }
}
