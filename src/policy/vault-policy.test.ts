// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies write their variables so.
import assert from 'node:assert/strict';
import test from 'node:test';
import { operationNames } from '../protocol/operations.ts';
import { parsePolicy } from './parse-policy.ts';
import { PolicyError } from './policy-error.ts';
import { checkVaultPolicy } from './vault-policy.ts';

const vaultArn = 'arn:aws:glacier:us-west-2:111122223333:vaults/examplevault';

const rules = {
  vaultArn,
  operationNames,
  identityOnlyNames: [
    ...['CreateVault', 'ListVaults', 'GetDataRetrievalPolicy', 'SetDataRetrievalPolicy'],
    ...['ListProvisionedCapacity', 'PurchaseProvisionedCapacity'],
  ],
};

/** `accepted`, or the sentence with which a policy of these statements is refused. */
function verdict(statements: unknown, version: string | undefined = '2012-10-17'): string {
  try {
    const text = JSON.stringify({ Version: version, Statement: statements });
    checkVaultPolicy(parsePolicy(text), rules);
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
    return error.message;
  }
}

const deny = {
  Effect: 'Deny',
  Principal: '*',
  Action: 'glacier:DeleteArchive',
  Resource: vaultArn,
};
const younger = { NumericLessThan: { 'glacier:ArchiveAgeInDays': '365' } };
const root = { AWS: 'arn:aws:iam::111122223333:root' };
const allow = { ...deny, Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::444455556666:root' } };

const uploads = [
  ...['glacier:UploadArchive', 'glacier:InitiateMultipartUpload', 'glacier:AbortMultipartUpload'],
  'glacier:CompleteMultipartUpload',
];

const examples: Readonly<Record<string, unknown>> = {
  'retention of 365 days': [{ ...deny, Sid: 'deny-based-on-archive-age', Condition: younger }],
  'retention as in the reference of InitiateVaultLock': [
    {
      ...deny,
      Sid: 'Define-vault-lock',
      Principal: root,
      Condition: { NumericLessThanEquals: { 'glacier:ArchiveAgeinDays': '365' } },
    },
  ],
  'a legal hold': [
    {
      ...deny,
      Sid: 'no-one-can-delete-any-archive-from-vault',
      Resource: [vaultArn],
      Condition: { StringLike: { 'glacier:ResourceTag/LegalHold': ['true', ''] } },
    },
    {
      ...deny,
      Sid: 'you-can-delete-archive-less-than-1-year-old',
      Effect: 'Allow',
      Principal: root,
      Action: ['glacier:DeleteArchive'],
      Resource: [vaultArn],
      Condition: younger,
    },
  ],
  'retention and a hold that one role may lift': [
    { ...deny, Condition: younger },
    { ...deny, Condition: { StringEquals: { 'glacier:ResourceTag/LegalHold': 'true' } } },
    {
      ...deny,
      Action: ['glacier:AddTagsToVault', 'glacier:RemoveTagsFromVault'],
      Condition: {
        ArnNotEquals: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/Legal' },
      },
    },
  ],
  'no transport without encryption': {
    ...deny,
    Action: 'glacier:*',
    Condition: { Bool: { 'aws:SecureTransport': false } },
  },
  'no end of the vault': { ...deny, Action: 'glacier:DeleteVault' },
  'no deletion ever': deny,
  'no action at all': { ...deny, Action: 'glacier:*' },
  'uploads from another account': [
    { ...allow, Sid: 'cross-account-upload', Action: uploads },
    { ...allow, Sid: 'the-rest', Action: 'glacier:UploadMultipartPart' },
  ],
  'reads from several accounts': {
    ...allow,
    Principal: { AWS: ['arn:aws:iam::444455556666:root', '123456789012'] },
    Action: ['glacier:InitiateJob', 'glacier:GetJobOutput', 'glacier:Describe*'],
  },
  'deletion with a second factor': {
    ...allow,
    Action: ['glacier:Delete*'],
    Condition: { Bool: { 'aws:MultiFactorAuthPresent': true } },
  },
  'a second factor demanded': {
    ...deny,
    Action: 'glacier:Delete*',
    Condition: {
      BoolIfExists: { 'aws:MultiFactorAuthPresent': false },
      Null: { 'aws:TokenIssueTime': 'true' },
    },
  },
  'some networks, for a time': {
    ...allow,
    Condition: {
      IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32'] },
      DateGreaterThan: { 'aws:CurrentTime': '2026-01-31T12:00:00Z' },
      DateLessThan: { 'aws:EpochTime': 1_800_000_000 },
      'ForAllValues:StringEquals': { 'aws:CalledVia': ['a'] },
    },
  },
};

for (const [name, statements] of Object.entries(examples)) {
  test(`a vault may have the policy: ${name}`, () => {
    assert.equal(verdict(statements), 'accepted');
    assert.equal(verdict(statements, '2008-10-17'), 'accepted');
    assert.equal(verdict(statements, undefined), 'accepted');
  });
}

// biome-ignore format: a table reads best as a table
const accepted: readonly object[] = [
  { Action: '*' },
  { Action: 'GLACIER:deletearchive' },
  { Action: 'glacier:?eleteArchive' },
  { Action: 'glacier:List*' },
  { Action: 'glacier:*Vault' },
  { Action: undefined, NotAction: 'glacier:DescribeVault' },
  { Action: undefined, NotAction: ['glacier:Describe*', 'glacier:Get*', 'glacier:List*'] },
  { Resource: '*' },
  { Resource: 'arn:aws:glacier:*' },
  { Resource: 'arn:aws:glacier:us-west-2:111122223333:vaults/*' },
  { Resource: 'arn:aws:glacier:*:*:vaults/example????*' },
  { Resource: ['arn:aws:glacier:us-west-2:111122223333:vaults/other', vaultArn] },
  { Resource: 'arn:aws:glacier:us-west-2:111122223333:vaults/${aws:username}vault' },
  { Resource: undefined, NotResource: 'arn:aws:glacier:us-west-2:111122223333:vaults/other' },
  { Resource: undefined, NotResource: 'arn:aws:glacier:us-west-2:111122223333:vaults/${aws:username}' },
  { Principal: undefined, NotPrincipal: { AWS: 'arn:aws:iam::111122223333:role/Legal' } },
  { Principal: { AWS: 'arn:aws:iam::999999999999:user/nobody-knows' } },
  { Principal: { Service: 'sns.amazonaws.com' } },
  { Condition: { StringEquals: { 's3:prefix': 'a', 'glacier:NoSuchKey': 'b' } } },
  { Condition: {} },
];

for (const changes of accepted) {
  test(`a vault's policy may have a statement with ${JSON.stringify(changes, (_, value) => value ?? null)}`, () => {
    assert.equal(verdict({ ...deny, ...changes }), 'accepted');
  });
}

// biome-ignore format: a table reads best as a table
const refused: readonly [changes: object, message: RegExp][] = [
  [{ Principal: undefined },                            /^Statement 1 has neither "Principal" nor "NotPrincipal"\.$/],
  [{ Effect: 'Allow', Principal: undefined, NotPrincipal: root }, /^Statement 1 allows with "NotPrincipal"/],
  [{ Principal: undefined, NotPrincipal: '*' },         /^Statement 1 has a "NotPrincipal" that spares everyone\.$/],
  [{ Principal: { AWS: 'arn:aws:iam::111122223333:user/*' } }, /a wildcard stands only for everyone/],
  [{ Action: 's3:DeleteObject' },                       /^Statement 1 has an action of another service, "s3:DeleteObject"\.$/],
  [{ Action: ['glacier:DeleteArchive', 's3:*'] },       /^Statement 1 has an action of another service, "s3:\*"\.$/],
  [{ Action: 'glacier:DeletArchive' },                  /^Statement 1 has an unknown action "glacier:DeletArchive"\.$/],
  [{ Action: 'GLACIER:DeletArchive' },                  /^Statement 1 has an unknown action "GLACIER:DeletArchive"\.$/],
  [{ Action: 'glacier:UploadPart' },                    /^Statement 1 has an unknown action "glacier:UploadPart"\.$/],
  [{ Action: 'glacier:Remove?ault*' },                  /^Statement 1 has an action "glacier:Remove\?ault\*", which matches none on a vault\.$/],
  [{ Action: 'glacier:*ProvisionedCapacity' },          /which matches none on a vault\.$/],
  ...rules.identityOnlyNames.map((name): [object, RegExp] => [
    { Action: `glacier:${name.toLowerCase()}` },        /which only the policies of users and roles can allow or deny\.$/,
  ]),
  [{ Action: undefined, NotAction: 'glacier:DeletArchive' }, /unknown action/],
  [{ Action: undefined, NotAction: '*' },               /^Statement 1 has a "NotAction" that spares every action on a vault\.$/],
  [{ Action: undefined, NotAction: ['glacier:*e*', 'glacier:*o*', 'glacier:*a*'] }, /spares every action/],
  [{ Resource: 'arn:aws:glacier:us-west-2:111122223333:vaults/other' }, /^Statement 1 has no "Resource" that matches this vault, arn:/],
  [{ Resource: 'arn:aws:glacier:us-east-1:111122223333:vaults/examplevault' }, /no "Resource" that matches/],
  [{ Resource: 'arn:aws:glacier:us-west-2:444455556666:vaults/*' }, /no "Resource" that matches/],
  [{ Resource: 'arn:aws:glacier:us-west-2:111122223333:vaults/ExampleVault' }, /no "Resource" that matches/],
  [{ Resource: 'arn:aws:glacier:us-west-2:111122223333:vaults/example${*}' }, /no "Resource" that matches/],
  [{ Resource: 'arn:aws:glacier:us-west-2:111122223333:vaults/${aws:username}x' }, /no "Resource" that matches/],
  [{ Resource: 'arn:aws:s3:::examplevault' },           /no "Resource" that matches/],
  [{ Resource: undefined, NotResource: vaultArn },      /^Statement 1 has a "NotResource" that spares this vault, arn:/],
  [{ Resource: undefined, NotResource: '*' },           /"NotResource" that spares this vault/],
  [{ Condition: { NumericLessThen: { 'glacier:ArchiveAgeInDays': '365' } } }, /unknown condition operator "NumericLessThen"/],
  [{ Condition: { NumericLessThan: { 'glacier:ArchiveAgeInDays': 'a year' } } }, /operand "a year" that is not a decimal number/],
];

for (const [changes, message] of refused) {
  test(`a vault's policy may not have a statement with ${JSON.stringify(changes, (_, value) => value ?? null)}`, () => {
    assert.match(verdict({ ...deny, ...changes }), message);
  });
}

test('the statement that is wrong is named, though others are right', () => {
  assert.match(verdict([deny, allow, { ...deny, Action: 's3:*' }]), /^Statement 3 has an action/);
});

test('in a policy of 2008 a variable in a resource is text, which no vault is named', () => {
  const statement = { ...deny, Resource: `${vaultArn.slice(0, -5)}\${aws:username}` };
  assert.equal(verdict(statement), 'accepted');
  assert.match(verdict(statement, '2008-10-17'), /no "Resource" that matches/);
});

test('every operation can be named, but for those that only users and roles can be allowed', () => {
  for (const name of operationNames) {
    const isAccepted = verdict({ ...deny, Action: `glacier:${name}` }) === 'accepted';
    assert.equal(isAccepted, !rules.identityOnlyNames.includes(name), name);
  }
});
