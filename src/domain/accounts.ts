import { defined } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { type RandomBytes, randomId } from '../lib/random.ts';
import { isAccountId } from '../protocol/names.ts';
import type { MetadataStore, Rows, WritableRows } from '../storage/metadata-store.ts';
import type { AccountRow } from '../storage/rows.ts';

/** A key pair with which requests are signed. */
export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface NewAccount extends KeyPair {
  readonly accountId: string;
  readonly name: string;
}

/** The account that the first start makes. */
export interface FirstAccount {
  readonly accountId: string;
  /** Whether it was never shown to anybody. */
  readonly isNew: boolean;
  /** Its root key, when that has yet to be shown. */
  readonly unseenKey: KeyPair | null;
}

/** What authentication needs to know of an access key. */
export interface AccountCredential extends KeyPair {
  readonly accountId: string;
  readonly principalArn: string;
  readonly isActive: boolean;
}

export interface AccountsOptions {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** A root key given by the settings: while it is given, it is the first account's only one. */
  readonly rootKey?: KeyPair | null;
}

/** Names the fact that says which account was made at the first start. */
const firstAccountFact = 'account.first';

/** Names the fact that says which key was shown at a start: empty for one that the settings gave. */
const shownFact = 'account.first.shown-key';

/** Accounts, each with a root key, its vaults, and nothing in common with the others. */
export class Accounts {
  readonly #store: MetadataStore;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  readonly #rootKey: KeyPair | null;
  #firstAccountId: string | undefined;

  constructor({ store, clock, randomBytes, rootKey = null }: AccountsOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
    this.#rootKey = rootKey;
  }

  /**
   * Makes sure that there is a first account with a key. Nobody has the key before it was shown, so
   * it is answered at each start until `noteShown` says that it was.
   */
  async ensureFirst(accountId: string | null): Promise<FirstAccount> {
    const first = await this.#store.write(async (rows) => {
      const known = await rows.facts.get(firstAccountFact);
      if (known !== undefined && accountId !== null && known !== accountId) {
        throw new Error(
          `The first account of this data directory is ${known}, and FIRN_ACCOUNT_ID says ` +
            `${accountId}: leave the setting out, or use another data directory.`,
        );
      }
      const id = known ?? accountId ?? (await this.#freeAccountId(rows));
      if (known === undefined) {
        // The operator may have made it before the first start.
        if ((await rows.accounts.get(id)) === undefined) {
          await this.#insert(rows, { accountId: id, name: 'root' });
        }
        await rows.facts.set(firstAccountFact, id);
      }
      const shown = await rows.facts.get(shownFact);
      const isNew = shown === undefined;
      if (this.#rootKey !== null) return { accountId: id, isNew, unseenKey: null };
      const key = (await ownRootKey(rows, id)) ?? (await this.#insertRootKey(rows, id));
      return { accountId: id, isNew, unseenKey: shown === key.accessKeyId ? null : key };
    });
    this.#firstAccountId = first.accountId;
    return first;
  }

  /** Notes that the first account was shown, with `unseenKey` if there was one. */
  async noteShown({ unseenKey }: FirstAccount): Promise<void> {
    const keyId = unseenKey?.accessKeyId ?? '';
    await this.#store.write(({ facts }) => facts.set(shownFact, keyId));
  }

  /** Makes another account with a root key of its own. */
  async create(account: {
    readonly name: string;
    readonly accountId?: string;
  }): Promise<NewAccount> {
    const { name } = account;
    if (name.length < 1 || name.length > 128) {
      throw new Error('The name of an account has 1 to 128 characters.');
    }
    if (account.accountId !== undefined && !isAccountId(account.accountId)) {
      throw new Error(`${account.accountId} is not an account id: it has 12 digits.`);
    }
    return this.#store.write(async (rows) => {
      const accountId = account.accountId ?? (await this.#freeAccountId(rows));
      if ((await rows.accounts.get(accountId)) !== undefined) {
        throw new Error(`There is an account ${accountId} already.`);
      }
      await this.#insert(rows, { accountId, name });
      return { accountId, name, ...(await this.#insertRootKey(rows, accountId)) };
    });
  }

  list(): Promise<AccountRow[]> {
    return this.#store.read((rows) => rows.accounts.list());
  }

  async exists(accountId: string): Promise<boolean> {
    return (await this.#store.read((rows) => rows.accounts.get(accountId))) !== undefined;
  }

  /** The credential that an access key id names, or undefined when it names none. */
  async credential(accessKeyId: string): Promise<AccountCredential | undefined> {
    const rootKey = this.#rootKey;
    if (rootKey !== null && accessKeyId === rootKey.accessKeyId) {
      const accountId = defined(this.#firstAccountId, 'the first account');
      return { ...rootKey, accountId, principalArn: rootArn(accountId), isActive: true };
    }
    // Nobody knows of a key that is not durable yet: there is nothing to wait for.
    const row = await this.#store.preview((rows) => rows.accounts.accessKey(accessKeyId));
    if (row === undefined) return undefined;
    const isReplaced = rootKey !== null && row.accountId === this.#firstAccountId;
    return {
      accessKeyId: row.accessKeyId,
      secretAccessKey: row.secretAccessKey,
      accountId: row.accountId,
      principalArn: rootArn(row.accountId),
      isActive: row.isActive && !isReplaced,
    };
  }

  async #insert(
    rows: WritableRows,
    account: { readonly accountId: string; readonly name: string },
  ): Promise<void> {
    await rows.accounts.insert({ ...account, createdAtMs: this.#clock.now() });
  }

  async #insertRootKey(rows: WritableRows, accountId: string): Promise<KeyPair> {
    const key = {
      accessKeyId: `AKIA${upperCaseId(this.#randomBytes, 16)}`,
      secretAccessKey: randomId(this.#randomBytes, 40),
    };
    await rows.accounts.insertAccessKey({
      ...key,
      accountId,
      isActive: true,
      createdAtMs: this.#clock.now(),
    });
    await rows.facts.set(rootKeyFact(accountId), key.accessKeyId);
    return key;
  }

  async #freeAccountId(rows: WritableRows): Promise<string> {
    for (;;) {
      const digits = [...this.#randomBytes(12)].map((byte) => byte % 10).join('');
      if ((await rows.accounts.get(digits)) === undefined) return digits;
    }
  }
}

/** Names the fact that holds the id of an account's root key. */
function rootKeyFact(accountId: string): string {
  return `account.root-key.${accountId}`;
}

/** The key that was made for the account, if one was. */
async function ownRootKey(rows: Rows, accountId: string): Promise<KeyPair | undefined> {
  const accessKeyId = await rows.facts.get(rootKeyFact(accountId));
  if (accessKeyId === undefined) return undefined;
  const row = await rows.accounts.accessKey(accessKeyId);
  return row && { accessKeyId, secretAccessKey: row.secretAccessKey };
}

function rootArn(accountId: string): string {
  return `arn:aws:iam::${accountId}:root`;
}

/** IAM's access key ids are of upper-case letters and digits 2–7. */
function upperCaseId(randomBytes: RandomBytes, length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
