// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies write their variables so.
import assert from 'node:assert/strict';
import test from 'node:test';
import { operandProblem, parseBoolOperand, parseNumericOperand } from './condition-operands.ts';
import { type OperatorFamily, operators, parseOperator } from './condition-operators.ts';
import { PolicyError } from './policy-error.ts';

const names = Object.keys(operators);

test('all 27 operators are there, each under its name alone', () => {
  assert.equal(names.length, 27);
  for (const name of names) {
    assert.deepEqual(parseOperator(name, ''), {
      operator: name,
      quantifier: undefined,
      ifExists: false,
    });
  }
});

test('all but Null take the suffix and either prefix', () => {
  for (const name of names.filter((name) => name !== 'Null')) {
    for (const quantifier of ['ForAllValues', 'ForAnyValue']) {
      assert.deepEqual(parseOperator(`${quantifier}:${name}IfExists`, ''), {
        operator: name,
        quantifier,
        ifExists: true,
      });
    }
  }
});

for (const name of [
  ...['NumericLessThen', 'numericlessthan', 'stringequals', '', 'IfExists', 'ForAllValues:'],
  ...[
    'NullIfExists',
    'ForAllValues:Null',
    'forallvalues:StringEquals',
    'ForSomeValue:StringEquals',
  ],
  ...[
    'ForAllValues:ForAnyValue:StringEquals',
    'StringEqualsIfExistsIfExists',
    'StringEqualsifexists',
  ],
  ...['toString', '__proto__', 'constructor', 'StringEquals ', 'BoolNot', 'BinaryNotEquals'],
]) {
  test(`the operator ${JSON.stringify(name)} is refused`, () => {
    assert.throws(() => parseOperator(name, 'Statement 1'), PolicyError);
  });
}

test('the operators that hold where a key is absent are those with Not in their names', () => {
  for (const [name, { negated }] of Object.entries(operators)) {
    assert.equal(negated, name.includes('Not'), name);
  }
});

// biome-ignore format: a table reads best as a table
const operands: readonly [family: OperatorFamily, good: readonly string[], bad: readonly string[]][] = [
  ['string',  ['', 'a', '*', '${aws:username}', "${aws:username, 'x'}"],      ['${', '${aws:username']],
  ['numeric', ['365', '-1', '+1', '0.5', '1e3', '1E-3'],                      ['', 'abc', '1.', '.5', '0x10', '1 ', 'NaN', 'Infinity', '1e400', '1,5', '${aws:MultiFactorAuthAge}']],
  ['date',    ['2026-01-31T12:00:00Z', '1769862600'],                         ['', 'soon', '${aws:CurrentTime}']],
  ['bool',    ['true', 'false', 'TRUE', 'False'],                             ['', 'yes', '1', 'true ', '${aws:SecureTransport}']],
  ['null',    ['true', 'false', 'True'],                                      ['', 'null', '0']],
  ['binary',  ['', 'QUJD', 'QUI=', 'QQ==', '+/+/'],                           ['QUI', 'QQ=', '-_-_', 'QU==QUJD', 'QUJ\n', '${aws:a}']],
  ['ip',      ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'],                   ['', '10.0.0.0/33', '10.0.0', '*', '${aws:SourceIp}']],
  ['arn',     ['arn:aws:iam::111122223333:role/Legal', 'arn:aws:iam::*:*', '*', '${aws:PrincipalArn}', 'arn:aws:iam::${aws:PrincipalAccount}:root'],
              ['', 'Legal', 'arn:aws:iam', 'arn:aws:iam::111122223333', 'arn:aws:iam::${aws']],
];

for (const [family, good, bad] of operands) {
  test(`operands of ${family} operators are checked`, () => {
    for (const operand of good) {
      assert.equal(operandProblem(family, operand, '2012-10-17'), undefined, operand);
    }
    for (const operand of bad) {
      assert.ok(operandProblem(family, operand, '2012-10-17') !== undefined, operand);
    }
  });
}

test('in a policy of 2008 a variable is text, and so no ARN', () => {
  assert.equal(operandProblem('string', '${', '2008-10-17'), undefined);
  assert.ok(operandProblem('arn', '${aws:PrincipalArn}', '2008-10-17') !== undefined);
});

test('numbers and booleans are read as what they say', () => {
  assert.equal(parseNumericOperand('365'), 365);
  assert.equal(parseNumericOperand('-0.5e1'), -5);
  assert.equal(parseNumericOperand(''), undefined);
  assert.equal(parseBoolOperand('True'), true);
  assert.equal(parseBoolOperand('FALSE'), false);
});
