/** A vault's policy with one statement, which hinders nobody in these tests. */
export function policyText(vaultArn: string, changes: object = {}, document: object = {}): string {
  const Statement = [{ ...harmless(vaultArn), ...changes }];
  return JSON.stringify({ Version: '2012-10-17', Statement, ...document });
}

function harmless(vaultArn: string): object {
  return {
    Sid: 'deny-based-on-archive-age',
    Effect: 'Deny',
    Principal: '*',
    Action: 'glacier:DeleteArchive',
    Resource: vaultArn,
    Condition: { NumericLessThan: { 'glacier:ArchiveAgeInDays': '1' } },
  };
}

/** A policy of exactly `sizeBytes` bytes, filled up with white space. */
export function policyOfSize(vaultArn: string, sizeBytes: number): string {
  return policyText(vaultArn).padEnd(sizeBytes, ' ');
}

type PolicyCase = readonly [title: string, text: string];

/** The text of the one that has this title. */
export function policyCalled(title: string, cases: readonly PolicyCase[]): string {
  const found = cases.find(([known]) => known === title);
  if (found === undefined) throw new Error(`there is no policy with ${title}`);
  return found[1];
}

const foreign = '444455556666';
const iam = (path: string) => `arn:aws:iam::${foreign}:${path}`;
const sts = (path: string) => `arn:aws:sts::${foreign}:${path}`;

const key = 'aws:PrincipalArn';

const goodConditions: readonly (readonly [operator: string, operands: unknown])[] = [
  ['StringEquals', { 'glacier:ResourceTag/LegalHold': 'true' }],
  ['StringNotEquals', { 'glacier:ResourceTag/LegalHold': ['true', ''] }],
  ['StringEqualsIgnoreCase', { [key]: 'x' }],
  ['StringNotEqualsIgnoreCase', { [key]: 'x' }],
  ['StringLike', { 'glacier:ResourceTag/LegalHold': ['true', ''] }],
  ['StringNotLike', { [key]: '*x?' }],
  ['NumericEquals', { 'glacier:ArchiveAgeInDays': '365' }],
  ['NumericNotEquals', { 'glacier:ArchiveAgeInDays': 365 }],
  ['NumericLessThan', { 'glacier:ArchiveAgeinDays': '365' }],
  ['NumericLessThanEquals', { 'glacier:ArchiveAgeInDays': '365.5' }],
  ['NumericGreaterThan', { 'glacier:ArchiveAgeInDays': '-1' }],
  ['NumericGreaterThanEquals', { 'glacier:ArchiveAgeInDays': ['1', 2] }],
  ['DateEquals', { 'aws:CurrentTime': '2026-01-01T00:00:00Z' }],
  ['DateNotEquals', { 'aws:CurrentTime': '2026-01-01' }],
  ['DateLessThan', { 'aws:CurrentTime': '1767225600' }],
  ['DateLessThanEquals', { 'aws:CurrentTime': '2026-01-01T00:00:00Z' }],
  ['DateGreaterThan', { 'aws:CurrentTime': '2026-01-01T00:00:00Z' }],
  ['DateGreaterThanEquals', { 'aws:CurrentTime': '2026-01-01T00:00:00Z' }],
  ['Bool', { 'aws:SecureTransport': 'false' }],
  ['Bool', { 'aws:SecureTransport': true }],
  ['BinaryEquals', { 'some:Key': 'QmluYXJ5' }],
  ['IpAddress', { 'aws:SourceIp': '203.0.113.0/24' }],
  ['IpAddress', { 'aws:SourceIp': ['203.0.113.7', '2001:db8::/32'] }],
  ['NotIpAddress', { 'aws:SourceIp': '203.0.113.0/24' }],
  ['ArnEquals', { [key]: iam('role/Legal') }],
  ['ArnLike', { [key]: iam('role/*') }],
  ['ArnNotEquals', { [key]: iam('role/Legal') }],
  ['ArnNotLike', { [key]: iam('role/Legal') }],
  ['Null', { 'glacier:ResourceTag/LegalHold': 'true' }],
  ['StringEqualsIfExists', { [key]: 'x' }],
  ['NumericLessThanIfExists', { 'glacier:ArchiveAgeInDays': '365' }],
  ['ForAnyValue:StringEquals', { [key]: ['x', 'y'] }],
  ['ForAllValues:StringLike', { [key]: ['x*'] }],
  ['StringEquals', { 'some:KeyThatNobodyKnows': 'x' }],
];

/** Policies that a vault takes, each with what is special about it. */
export function goodPolicies(vaultArn: string, accountId: string): readonly PolicyCase[] {
  const one = (title: string, changes: object, document?: object): PolicyCase => [
    title,
    policyText(vaultArn, changes, document),
  ];
  const allow = { Effect: 'Allow', Condition: undefined };
  const principal = (Principal: unknown): PolicyCase =>
    one(`the principal ${JSON.stringify(Principal)}`, { Principal });
  const action = (Action: unknown): PolicyCase =>
    one(`the action ${JSON.stringify(Action)}`, { ...allow, Action });
  const resource = (title: string, Resource: unknown): PolicyCase => one(title, { Resource });
  return [
    one('an id', {}, { Id: 'an id' }),
    one('no version', {}, { Version: undefined }),
    one('the version of 2008', {}, { Version: '2008-10-17' }),
    one('one statement, not in a list', {}, { Statement: harmless(vaultArn) }),
    one(
      'two statements',
      {},
      {
        Statement: [harmless(vaultArn), { ...harmless(vaultArn), Sid: 'another' }],
      },
    ),
    one('no statement id', { Sid: undefined }),
    one('no condition', { Effect: 'Allow', Condition: undefined }),
    principal('*'),
    principal({ AWS: '*' }),
    principal({ AWS: accountId }),
    principal({ AWS: `arn:aws:iam::${accountId}:root` }),
    principal({ AWS: [foreign, iam('root')] }),
    principal({ AWS: iam('user/path/Bob') }),
    principal({ AWS: iam('role/Legal') }),
    principal({ AWS: sts('assumed-role/Legal/session') }),
    principal({ AWS: sts('federated-user/Bob') }),
    principal({ Service: 'glacier.amazonaws.com' }),
    principal({ AWS: foreign, Service: ['glacier.amazonaws.com'] }),
    one('principals that are left out', {
      Principal: undefined,
      NotPrincipal: { AWS: [iam('user/Bob'), iam('root')] },
    }),
    action('*'),
    action('glacier:*'),
    action('glacier:Delete*'),
    action('glacier:?eleteArchive'),
    action('glacier:deletearchive'),
    action(['glacier:DeleteArchive', 'glacier:AddTagsToVault']),
    one('actions that are left out', {
      ...allow,
      Action: undefined,
      NotAction: 'glacier:DeleteVault',
    }),
    resource('any resource', '*'),
    resource('a list with its own ARN', [vaultArn]),
    resource('a pattern that fits its ARN', 'arn:aws:glacier:*:*:vaults/*'),
    resource("another vault's ARN beside its own", [vaultArn, `${vaultArn}-other`]),
    one('resources that are left out', { Resource: undefined, NotResource: `${vaultArn}-other` }),
    ...goodConditions.map(([operator, operands]) =>
      one(`the condition ${operator} ${JSON.stringify(operands)}`, {
        Condition: { [operator]: operands },
      }),
    ),
  ];
}

const badConditions: readonly unknown[] = [
  { NumericLessThen: { 'glacier:ArchiveAgeInDays': '365' } },
  { numericlessthan: { 'glacier:ArchiveAgeInDays': '365' } },
  { NumericLessThan: { 'glacier:ArchiveAgeInDays': 'abc' } },
  { NumericLessThan: { 'glacier:ArchiveAgeInDays': ['365', 'a year'] } },
  { NumericLessThan: { 'glacier:ArchiveAgeInDays': {} } },
  { NumericLessThan: { 'glacier:ArchiveAgeInDays': [['365']] } },
  { NumericLessThan: '365' },
  { DateLessThan: { 'aws:CurrentTime': 'tomorrow' } },
  { Bool: { 'aws:SecureTransport': 'perhaps' } },
  { IpAddress: { 'aws:SourceIp': '300.0.0.1' } },
  { IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } },
  { Null: { 'glacier:ResourceTag/LegalHold': 'perhaps' } },
  { NullIfExists: { 'glacier:ResourceTag/LegalHold': 'true' } },
  { 'ForSomeValues:StringEquals': { [key]: 'x' } },
  [],
  'always',
];

/** Policies that no vault takes, each with what is wrong with it. */
export function badPolicies(vaultArn: string): readonly PolicyCase[] {
  const one = (title: string, changes: object, document?: object): PolicyCase => [
    title,
    policyText(vaultArn, changes, document),
  ];
  const principal = (Principal: unknown): PolicyCase =>
    one(`the principal ${JSON.stringify(Principal)}`, { Principal });
  const action = (Action: unknown): PolicyCase =>
    one(`the action ${JSON.stringify(Action)}`, { Action });
  const resource = (title: string, Resource: unknown): PolicyCase => one(title, { Resource });
  const valid = policyText(vaultArn);
  return [
    ...['{', 'policy', '[]', '"text"', 'null', '1', `${valid}x`, ' '].map(
      (text): PolicyCase => [`no JSON object: ${text.slice(0, 10)}`, text],
    ),
    ['half of a surrogate pair', valid.replace('{', '{"Id":"\ud800",')],
    ['a version twice', valid.replace('{', '{"Version":"2012-10-17",')],
    ['an effect twice', valid.replace('"Effect"', '"Effect":"Deny","Effect"')],
    one('an unknown element', {}, { Purpose: 'none' }),
    one('an unknown element in a statement', { Purpose: 'none' }),
    one('an element in lower case', { Effect: undefined, effect: 'Deny' }),
    one('the version 2012-10-18', {}, { Version: '2012-10-18' }),
    one('a number for a version', {}, { Version: 20121017 }),
    one('no statement', {}, { Statement: undefined }),
    one('an empty list of statements', {}, { Statement: [] }),
    one('a text for a statement', {}, { Statement: 'Deny' }),
    one('a null for a statement', {}, { Statement: [null] }),
    one('a statement id twice', {}, { Statement: [harmless(vaultArn), harmless(vaultArn)] }),
    one('a statement id with a slash', { Sid: 'a/b' }),
    one('no effect', { Effect: undefined }),
    one('the effect "deny"', { Effect: 'deny' }),
    one('the effect "Permit"', { Effect: 'Permit' }),
    one('no principal', { Principal: undefined }),
    one('a principal and one that is left out', { NotPrincipal: { AWS: iam('user/Bob') } }),
    one('an allowance for all but one principal', {
      Effect: 'Allow',
      Principal: undefined,
      NotPrincipal: { AWS: iam('user/Bob') },
    }),
    principal(null),
    principal(iam('root')),
    principal({}),
    principal({ AWS: [] }),
    principal({ AWS: '12345' }),
    principal({ AWS: iam('user/*') }),
    principal({ AWS: iam('group/Admins') }),
    principal({ AWS: 'arn:aws:s3:::bucket' }),
    principal({ AWS: 5 }),
    principal({ CanonicalUser: 'a'.repeat(64) }),
    principal({ Stranger: '*' }),
    one('no action', { Action: undefined }),
    one('an action and one that is left out', { NotAction: 'glacier:AbortVaultLock' }),
    action('s3:DeleteObject'),
    action(['glacier:DeleteArchive', 's3:DeleteObject']),
    action('glacier:NoSuchAction'),
    action('glacier:NoSuch*'),
    action('DeleteArchive'),
    action(''),
    action([]),
    action(5),
    action('glacier:CreateVault'),
    action('glacier:ListVaults'),
    action('glacier:GetDataRetrievalPolicy'),
    action('glacier:SetDataRetrievalPolicy'),
    action('glacier:ListProvisionedCapacity'),
    action('glacier:PurchaseProvisionedCapacity'),
    one('no resource', { Resource: undefined }),
    one('a resource and one that is left out', { NotResource: `${vaultArn}-other` }),
    resource("another vault's ARN", `${vaultArn}-other`),
    resource("another service's ARN", 'arn:aws:s3:::bucket/*'),
    resource("another account's ARN", vaultArn.replace(/:\d{12}:/, `:${foreign}:`)),
    resource('a resource that is no ARN', 'my-vault'),
    resource('an empty list of resources', []),
    resource('a number for a resource', 5),
    ...badConditions.map((Condition) =>
      one(`the condition ${JSON.stringify(Condition)}`, { Condition }),
    ),
  ];
}
