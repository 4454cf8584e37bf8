import { limits } from './limits.ts';

/** Developer guide, "Create Vault": names are of `a–z A–Z 0–9 _ - .`. */
const vaultNamePattern = /^[A-Za-z0-9_.-]+$/;
const accountIdPattern = /^\d{12}$/;
const urlSafePattern = /^[A-Za-z0-9_-]+$/;

/** Lengths of the ids that the service mints; clients check the first three. */
export const idLengths = {
  archive: 138,
  job: 92,
  upload: 92,
  vaultLock: 24,
  capacity: 24,
  request: 47,
} as const;

/**
 * Whether `name` may be given to a vault. `.` and `..` are refused: clients take dot segments out
 * of the path that they sign, so such vaults could not be addressed.
 */
export function isVaultName(name: string): boolean {
  const isShort = name.length <= limits.vaultNameLengthMax;
  return isShort && vaultNamePattern.test(name) && name !== '.' && name !== '..';
}

export function isAccountId(id: string): boolean {
  return accountIdPattern.test(id);
}

/** Whether `id` has the form of an archive's id; it need not exist. */
export function isArchiveId(id: string): boolean {
  return id.length === idLengths.archive && urlSafePattern.test(id);
}

/** What names a vault on the wire and in policies. */
export interface VaultAddress {
  readonly accountId: string;
  readonly region: string;
  readonly vaultName: string;
}

/** `aws`, `aws-cn` or `aws-us-gov`, by the region's name. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  return 'aws';
}

/** `arn:aws:glacier:<region>:<account>:vaults/<name>` */
export function vaultArn({ accountId, region, vaultName }: VaultAddress): string {
  return `arn:${partitionOf(region)}:glacier:${region}:${accountId}:vaults/${vaultName}`;
}

/** The vault that an ARN names, or undefined when it names none. */
export function parseVaultArn(arn: string): VaultAddress | undefined {
  const match = /^arn:([a-z-]+):glacier:([a-z0-9-]+):(\d{12}):vaults\/([^/]+)$/.exec(arn);
  const [, partition, region, accountId, vaultName] = match ?? [];
  if (region === undefined || accountId === undefined || vaultName === undefined) return undefined;
  if (partition !== partitionOf(region) || !isVaultName(vaultName)) return undefined;
  return { accountId, region, vaultName };
}

/** The path under which clients address a vault; always with the account's real number. */
export function vaultPath({ accountId, vaultName }: VaultAddress): string {
  return `/${accountId}/vaults/${vaultName}`;
}

/** The form of every date in a JSON body: `2026-01-31T14:26:33.031Z`. */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** The form of dates inside inventories: `2026-01-31T14:26:33Z`, cut, not rounded. */
export function toTimestampSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** SNS topics: `arn:<partition>:sns:<region>:<account>:<name>`, the partition being the region's. */
export function parseTopicArn(arn: string): { readonly region: string } | undefined {
  const match = /^arn:([a-z-]+):sns:([a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?$/.exec(arn);
  const [, partition, region] = match ?? [];
  if (region === undefined || partition !== partitionOf(region)) return undefined;
  return { region };
}
