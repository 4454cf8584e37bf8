import type { FastifyInstance } from 'fastify';
import type { Log } from '../lib/log.ts';
import { proofOf } from '../lib/node/admin-endpoint.ts';
import { AdminError } from './admin-error.ts';
import { type ArchivePageQuery, archivePageLimitMax } from './archive-pages.ts';
import { accountCreated } from './events.ts';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';
import type { Status } from './status.ts';

/** The accounts, as far as the administrator manages them. */
export interface AdminAccounts {
  list(): Promise<readonly { accountId: string; name: string; createdAtMs: number }[]>;
  exists(accountId: string): Promise<boolean>;
  create(account: { readonly name: string; readonly accountId?: string }): Promise<{
    readonly accountId: string;
    readonly name: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  }>;
}

/** What the endpoint tells of, and what it can change. */
export interface AdminParts {
  readonly log: Log;
  readonly version: string;
  readonly token: string;
  readonly pid: number;
  readonly health: () => Health;
  readonly status: Status;
  readonly metrics: Metrics;
  readonly accounts: AdminAccounts;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Served without the token. */
    readonly isOpen?: boolean;
  }
}

/** The token is asked for by whoever admits requests, save where a route is open. */
export function registerAdminRoutes(app: FastifyInstance, parts: AdminParts): void {
  const open = { config: { isOpen: true } };
  app.get('/healthz', open, (_request, reply) => {
    const health = parts.health();
    return reply.code(health.status === 'failed' ? 503 : 200).send(health);
  });
  app.get('/metrics', open, async (_request, reply) => {
    const text = await parts.metrics.text(await parts.status.facts());
    return reply.type(parts.metrics.contentType).send(text);
  });
  app.get('/identity', open, async ({ query }) => identity(parts, query));
  app.get('/status', () => parts.status.report());
  app.get('/archives', ({ query }) => parts.status.archives(pageQuery(query)));
  app.get('/accounts', async () => ({ accounts: await parts.accounts.list() }));
  app.post('/accounts', async ({ body }, reply) => {
    const made = await createAccount(parts, body);
    return reply.code(201).send(made);
  });
}

/** Who has the token sees by the answer that this server has it too, before sending it. */
function identity({ version, pid, token }: AdminParts, query: unknown): object {
  const challenge = textIn(query, 'challenge') ?? '';
  if (!/^[0-9a-f]{64}$/.test(challenge)) {
    throw new AdminError(400, 'challenge: it has 64 hexadecimal digits.');
  }
  return { version, pid, proof: proofOf(token, challenge) };
}

function pageQuery(query: unknown): ArchivePageQuery {
  return {
    after: wholeNumber(query, 'after', { otherwise: 0, min: 0, max: Number.MAX_SAFE_INTEGER }),
    limit: wholeNumber(query, 'limit', {
      otherwise: archivePageLimitMax,
      min: 1,
      max: archivePageLimitMax,
    }),
    vaultName: textIn(query, 'vault') ?? null,
  };
}

async function createAccount(
  { accounts, log }: AdminParts,
  body: unknown,
): ReturnType<AdminAccounts['create']> {
  const name = textIn(body, 'name') ?? '';
  const accountId = textIn(body, 'accountId');
  if (name.length < 1 || name.length > 128) {
    throw new AdminError(400, 'The name of an account has 1 to 128 characters.');
  }
  if (accountId !== undefined && !/^\d{12}$/.test(accountId)) {
    throw new AdminError(400, `${accountId} is not an account id: it has 12 digits.`);
  }
  if (accountId !== undefined && (await accounts.exists(accountId))) {
    throw new AdminError(409, `There is an account ${accountId} already.`);
  }
  const made = await accounts.create(accountId === undefined ? { name } : { name, accountId });
  accountCreated(log, made.accountId);
  return made;
}

/** A member that must be a text where it is there. */
function textIn(document: unknown, name: string): string | undefined {
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, name)) {
    return undefined;
  }
  const value: unknown = Reflect.get(document, name);
  if (typeof value !== 'string') throw new AdminError(400, `${name}: it is one text.`);
  return value;
}

function wholeNumber(
  query: unknown,
  name: string,
  { otherwise, min, max }: { otherwise: number; min: number; max: number },
): number {
  const text = textIn(query, name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new AdminError(400, `${name}: it is a whole number from ${min} to ${max}.`);
}
