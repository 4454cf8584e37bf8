// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies write their variables so.
import assert from 'node:assert/strict';
import test from 'node:test';
import { parsePolicy } from './parse-policy.ts';
import type { Statement } from './policy.ts';
import { PolicyError } from './policy-error.ts';

const arn = 'arn:aws:glacier:us-west-2:111122223333:vaults/examplevault';

const statement = {
  Effect: 'Deny',
  Principal: '*',
  Action: 'glacier:DeleteArchive',
  Resource: arn,
};

/** The parsed statement, of which members were changed; those that are undefined are left out. */
function parsed(changes: object): Statement {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: { ...statement, ...changes } });
  const [first] = parsePolicy(text).statements;
  assert.ok(first !== undefined);
  return first;
}

/** The sentence with which a text is refused. */
function refusal(text: string): string {
  try {
    parsePolicy(text);
    return 'not refused';
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
    return error.message;
  }
}

function refusalOf(changes: object): string {
  return refusal(
    JSON.stringify({ Version: '2012-10-17', Statement: { ...statement, ...changes } }),
  );
}

test('a whole policy is read', () => {
  const text = JSON.stringify({
    Version: '2012-10-17',
    Id: 'lock',
    Statement: [
      {
        Sid: 'deny-based-on-archive-age',
        Effect: 'Deny',
        Principal: '*',
        Action: 'glacier:DeleteArchive',
        Resource: [arn],
        Condition: {
          NumericLessThan: { 'glacier:ArchiveAgeInDays': 365 },
          'ForAnyValue:StringLikeIfExists': { 'glacier:ResourceTag/LegalHold': ['true', ''] },
          Bool: { 'aws:SecureTransport': true, 'aws:ViaAWSService': 'False' },
        },
      },
      { Effect: 'Allow', NotPrincipal: { AWS: '111122223333' }, NotAction: '*', NotResource: '*' },
    ],
  });
  const plain = { quantifier: undefined, ifExists: false };
  assert.deepEqual(parsePolicy(text), {
    version: '2012-10-17',
    id: 'lock',
    statements: [
      {
        sid: 'deny-based-on-archive-age',
        effect: 'Deny',
        principals: { negated: false, listed: [{ kind: 'any' }] },
        actions: { negated: false, listed: ['glacier:DeleteArchive'] },
        resources: { negated: false, listed: [arn] },
        conditions: [
          {
            ...plain,
            operator: 'NumericLessThan',
            key: 'glacier:ArchiveAgeInDays',
            values: ['365'],
          },
          {
            operator: 'StringLike',
            quantifier: 'ForAnyValue',
            ifExists: true,
            key: 'glacier:ResourceTag/LegalHold',
            values: ['true', ''],
          },
          { ...plain, operator: 'Bool', key: 'aws:SecureTransport', values: ['true'] },
          { ...plain, operator: 'Bool', key: 'aws:ViaAWSService', values: ['False'] },
        ],
      },
      {
        sid: undefined,
        effect: 'Allow',
        principals: { negated: true, listed: [{ kind: 'account', accountId: '111122223333' }] },
        actions: { negated: true, listed: ['*'] },
        resources: { negated: true, listed: ['*'] },
        conditions: [],
      },
    ],
  });
});

test('a policy without a version is of 2008, in which a variable is text', () => {
  const withVariable = { ...statement, Resource: `${arn}\${` };
  const policy = parsePolicy(JSON.stringify({ Statement: withVariable }));
  assert.equal(policy.version, '2008-10-17');
  assert.match(
    refusal(JSON.stringify({ Version: '2012-10-17', Statement: withVariable })),
    /malformed policy variable/,
  );
});

// biome-ignore format: a table reads best as a table
const principals: readonly [written: unknown, kinds: readonly object[]][] = [
  ['*',                                                    [{ kind: 'any' }]],
  [['*'],                                                  [{ kind: 'any' }]],
  [{ AWS: '*' },                                           [{ kind: 'any' }]],
  [{ AWS: '111122223333' },                                [{ kind: 'account', accountId: '111122223333' }]],
  [{ AWS: 'arn:aws:iam::111122223333:root' },              [{ kind: 'account', accountId: '111122223333' }]],
  [{ AWS: ['arn:aws-cn:iam::111122223333:root', '*'] },    [{ kind: 'account', accountId: '111122223333' }, { kind: 'any' }]],
  [{ AWS: 'arn:aws:iam::111122223333:user/a/b/Al.ice' },   [{ kind: 'user', accountId: '111122223333', arn: 'arn:aws:iam::111122223333:user/a/b/Al.ice' }]],
  [{ AWS: 'arn:aws:iam::111122223333:role/Legal' },        [{ kind: 'role', accountId: '111122223333', arn: 'arn:aws:iam::111122223333:role/Legal' }]],
  [{ AWS: 'arn:aws:sts::111122223333:assumed-role/R/s@x' }, [{ kind: 'role-session', accountId: '111122223333', arn: 'arn:aws:sts::111122223333:assumed-role/R/s@x' }]],
  [{ AWS: 'arn:aws:sts::111122223333:federated-user/bob' }, [{ kind: 'federated-user', accountId: '111122223333', arn: 'arn:aws:sts::111122223333:federated-user/bob' }]],
  [{ Service: 'sns.amazonaws.com', Federated: ['cognito-identity.amazonaws.com'] },
    [{ kind: 'service', name: 'sns.amazonaws.com' }, { kind: 'federated', name: 'cognito-identity.amazonaws.com' }]],
];

for (const [written, kinds] of principals) {
  test(`the principal ${JSON.stringify(written)} is understood`, () => {
    assert.deepEqual(parsed({ Principal: written }).principals, { negated: false, listed: kinds });
    const others = parsed({ Principal: undefined, NotPrincipal: written }).principals;
    assert.deepEqual(others, { negated: true, listed: kinds });
  });
}

for (const written of [
  ...['', 'AWS', '111122223333', arn, [], ['*', 'a'], {}, { AWS: [] }, { AWS: 1 }, { AWS: [null] }],
  ...[null, 1, true, [['*']], { aws: '*' }, { CanonicalUser: 'abc' }, { constructor: '*' }],
  ...[{ AWS: '' }, { AWS: '11112222333' }, { AWS: 'alice' }, { AWS: 'AIDAEXAMPLEID' }],
  ...[{ AWS: arn }, { AWS: 'arn:aws:iam::111122223333:user/*' }, { AWS: 'arn:aws:iam::*:root' }],
  ...[{ AWS: 'arn:aws:iam::111122223333:user/al?ce' }, { AWS: 'arn:aws:iam::111122223333:*' }],
  ...[{ AWS: 'arn:aws:iam::111122223333:group/all' }, { AWS: 'arn:aws:iam::111122223333:user/' }],
  ...[{ AWS: 'arn:aws:iam::111122223333:user' }, { AWS: 'arn:aws:iam::1111:user/alice' }],
  ...[
    { AWS: 'arn:aws:iam::111122223333:instance-profile/p' },
    { AWS: 'arn:aws:sts::111122223333:root' },
  ],
  ...[
    { AWS: 'arn:aws:sts::111122223333:assumed-role/R' },
    { AWS: 'arn:aws:sts::111122223333:user/a' },
  ],
  ...[
    { AWS: 'arn:aws:sts::111122223333:assumed-role/R/s/t' },
    { AWS: 'arn:gcp:iam::111122223333:root' },
  ],
  ...[
    { AWS: 'arn:aws:iam::111122223333:user/*/alice' },
    { AWS: 'arn:aws:iam::111122223333:role/a b/c' },
  ],
  ...[{ AWS: 'arn:aws:iam::111122223333:user/${aws:username}' }, { AWS: '* ' }],
  ...[{ Service: '*' }, { Service: 'sns' }, { Federated: '' }, { Federated: '*' }],
]) {
  test(`the principal ${JSON.stringify(written)} is refused`, () => {
    assert.match(refusalOf({ Principal: written }), /"Principal" of statement 1.*\.$/);
  });
}

for (const action of [
  '*',
  'glacier:*',
  'GLACIER:describe*',
  'glacier:?escribeVault',
  's3:PutObject',
]) {
  test(`the action ${action} is understood, and kept as written`, () => {
    assert.deepEqual(parsed({ Action: action }).actions, { negated: false, listed: [action] });
    const others = parsed({ Action: undefined, NotAction: [action, 'glacier:*'] }).actions;
    assert.deepEqual(others, { negated: true, listed: [action, 'glacier:*'] });
  });
}

for (const action of [
  ...['', 'DeleteArchive', 'glacier', 'glacier:', ':DeleteArchive', 'g*:DeleteArchive', '**'],
  ...['*:*', 'glacier:Delete Archive', ' glacier:DeleteArchive', 'glacier:${a:b}', 'glacier:a:b'],
  'glacier:Un\u212aNown',
]) {
  test(`the action ${JSON.stringify(action)} is refused`, () => {
    assert.match(refusalOf({ Action: ['glacier:*', action] }), /^Statement 1 has an action ".*\.$/);
  });
}

for (const resource of [
  ...['*', arn, 'arn:aws:glacier:*', 'arn:aws:glacier:us-west-2:111122223333:vaults/*'],
  ...['arn:aws:s3:::bucket/*', 'arn:*:glacier:*:*:*', 'arn:aws:iam::aws:policy/ReadOnlyAccess'],
  'arn:aws:glacier:us-west-2:111122223333:vaults/${aws:username}-*',
  "arn:aws:glacier:us-west-2:111122223333:vaults/${aws:username, 'a:b'}",
]) {
  test(`the resource ${resource} is understood, and kept as written`, () => {
    assert.deepEqual(parsed({ Resource: resource }).resources, {
      negated: false,
      listed: [resource],
    });
    const others = parsed({ Resource: undefined, NotResource: [resource] }).resources;
    assert.deepEqual(others, { negated: true, listed: [resource] });
  });
}

for (const resource of [
  ...['', 'examplevault', '**', 'arn', 'arn:aws:*:us-west-2:111122223333:vaults/a', 'arn:aws:g*:*'],
  ...['arn:aws:glacier:us-west-2:111122223333:', 'arn:aws:glacier:us-west-2:111122223333', 'arn:*'],
  ...['arn:aws:glacier:us-west-2:${aws:PrincipalAccount}:vaults/a', '${aws:username}', `${arn}\${`],
  ...[
    'arn:aws:glacier:us-west-2${a:b}:111122223333:vaults/a',
    'arn:aws:glacier:${a:b}*:1:vaults/a',
  ],
  ...['arn:aws:glacier:${*}:111122223333:vaults/a', 'arn:aws:glacier:*:vaults/examplevault'],
]) {
  test(`the resource ${JSON.stringify(resource)} is refused`, () => {
    assert.match(refusalOf({ Resource: [arn, resource] }), /^Statement 1 has a resource ".*\.$/);
  });
}

const conditionOn = (operator: string, operand: unknown) => ({
  Condition: { [operator]: { 'aws:a': operand } },
});

// biome-ignore format: a table reads best as a table
const refusals: readonly [changes: object, message: string][] = [
  [{ Efect: 'Deny' },                     'Statement 1 has an unknown element "Efect".'],
  [{ effect: 'Deny' },                    'Statement 1 has an unknown element "effect".'],
  [{ Effect: undefined },                 'Statement 1 has no "Effect".'],
  [{ Effect: 'deny' },                    'Statement 1 has an "Effect" that is neither "Allow" nor "Deny".'],
  [{ Effect: ['Deny'] },                  'Statement 1 has an "Effect" that is neither "Allow" nor "Deny".'],
  [{ NotPrincipal: '*' },                 'Statement 1 has both "Principal" and "NotPrincipal".'],
  [{ NotAction: 'glacier:*' },            'Statement 1 has both "Action" and "NotAction".'],
  [{ NotResource: arn },                  'Statement 1 has both "Resource" and "NotResource".'],
  [{ Action: undefined },                 'Statement 1 has neither "Action" nor "NotAction".'],
  [{ Resource: undefined },               'Statement 1 has neither "Resource" nor "NotResource".'],
  [{ Action: [] },                        'The "Action" of statement 1 is an empty list.'],
  [{ Action: { glacier: '*' } },          'The "Action" of statement 1 must hold strings only.'],
  [{ Resource: [arn, 1] },                'The "Resource" of statement 1 must hold strings only.'],
  [{ Sid: 1 },                            'The "Sid" of statement 1 is not a string.'],
  [{ Sid: 'a/b' },                        'Statement 1 has a "Sid" "a/b", but letters, digits, blanks, "_", "." and "-" alone are allowed there.'],
  [{ Condition: [] },                     'Statement 1 has a "Condition" that is not a JSON object.'],
  [{ Condition: null },                   'Statement 1 has a "Condition" that is not a JSON object.'],
  [conditionOn('NumericLessThen', '365'), 'Statement 1 has an unknown condition operator "NumericLessThen".'],
  [conditionOn('NullIfExists', true),     'Statement 1 has a condition operator "NullIfExists": "Null" takes no prefix and no suffix.'],
  [{ Condition: { Bool: {} } },           'Statement 1 has a condition "Bool" that names no key.'],
  [{ Condition: { Bool: true } },         'Statement 1 has a condition "Bool" that names no key.'],
  [{ Condition: { Bool: { Age: true } } }, 'Statement 1 has a condition key "Age", which is not a prefix, a colon and a name.'],
  [conditionOn('StringEquals', []),       'Statement 1 has a condition "StringEquals" on "aws:a", which is an empty list.'],
  [conditionOn('StringEquals', null),     'Statement 1 has a condition "StringEquals" on "aws:a" with an operand that is not a string, a number or a boolean.'],
  [conditionOn('StringEquals', [['a']]),  'Statement 1 has a condition "StringEquals" on "aws:a" with an operand that is not a string, a number or a boolean.'],
  [conditionOn('NumericEquals', 2 ** 53), 'Statement 1 has a condition "NumericEquals" on "aws:a" with a number that is too long: write it as a string.'],
  [conditionOn('NumericLessThan', 'abc'), 'Statement 1 has a condition "NumericLessThan" on "aws:a" with an operand "abc" that is not a decimal number.'],
  [conditionOn('NumericLessThan', true),  'Statement 1 has a condition "NumericLessThan" on "aws:a" with an operand "true" that is not a decimal number.'],
  [conditionOn('IpAddress', ['10.0.0.1', '10.0.0.0/33']), 'Statement 1 has a condition "IpAddress" on "aws:a" with an operand "10.0.0.0/33" that is not an IP address, or a range such as "203.0.113.0/24".'],
  [conditionOn('StringLike', '${a'),      'Statement 1 has a condition "StringLike" on "aws:a" with an operand "${a" that has a malformed policy variable.'],
];

for (const [changes, message] of refusals) {
  test(`a statement with ${JSON.stringify(changes, (_, value) => value ?? null)} is refused: ${message}`, () => {
    assert.equal(refusalOf(changes), message);
  });
}

const good = JSON.stringify(statement);

// biome-ignore format: a table reads best as a table
const documents: readonly [text: string, message: RegExp][] = [
  ['',                                                     /^The policy is not valid JSON: .+\.$/],
  ['{"Statement":}',                                       /^The policy is not valid JSON: .+\.$/],
  [`\ufeff{"Statement":${good}}`,                          /^The policy is not valid JSON: .+\.$/],
  [`{"Statement":${good},}`,                               /^The policy is not valid JSON: .+\.$/],
  [`[${good}]`,                                            /^The policy is not a JSON object\.$/],
  ['null',                                                 /^The policy is not a JSON object\.$/],
  ['"Statement"',                                          /^The policy is not a JSON object\.$/],
  ['{}',                                                   /^The policy has no "Statement"\.$/],
  ['{"Statement":[]}',                                     /^The "Statement" of the policy is an empty list\.$/],
  ['{"Statement":"*"}',                                    /^Statement 1 is not a JSON object\.$/],
  [`{"Statement":[${good},null]}`,                         /^Statement 2 is not a JSON object\.$/],
  [`{"Statement":[${good},{}]}`,                           /^Statement 2 has no "Effect"\.$/],
  [`{"Policy":{},"Statement":${good}}`,                    /^The policy has an unknown element "Policy"\.$/],
  [`{"__proto__":{},"Statement":${good}}`,                 /^The policy has an unknown element "__proto__"\.$/],
  [`{"Version":"2012-10-18","Statement":${good}}`,         /^The "Version" of the policy is neither/],
  [`{"Version":null,"Statement":${good}}`,                 /^The "Version" of the policy is neither/],
  [`{"Id":7,"Statement":${good}}`,                         /^The "Id" of the policy is not a string\.$/],
  [`{"Statement":${good},"Statement":${good}}`,            /^The policy has "Statement" twice in one object, on line 1\.$/],
];

for (const [text, message] of documents) {
  test(`the text ${JSON.stringify(text.slice(0, 60))} is refused: ${message.source}`, () => {
    assert.match(refusal(text), message);
  });
}

test('statements may not share a Sid, but each may have an empty one, or none', () => {
  const withSids = (...sids: unknown[]) =>
    JSON.stringify({ Statement: sids.map((Sid) => ({ ...statement, Sid })) });
  assert.equal(refusal(withSids('a', 'b', 'a')), 'Two statements have the "Sid" "a".');
  assert.equal(parsePolicy(withSids('', '', undefined, undefined, 'a', 'A')).statements.length, 6);
});

test('what is quoted in a message is cut', () => {
  const message = refusalOf({ ['x'.repeat(10_000)]: 1 });
  assert.match(message, /^Statement 1 has an unknown element "x+…"\.$/);
  assert.ok(message.length < 200);
});
