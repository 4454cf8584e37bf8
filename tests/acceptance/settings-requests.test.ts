import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createVault, send } from '../support/deeds.ts';
import { assertError } from '../support/expectations.ts';
import { type HeaderLines, sha256Hex } from '../support/signature.ts';
import { openTarget } from '../support/target.ts';
import { mebibyte } from '../support/tree-hash-reference.ts';

const { api, other } = await openTarget();
const vault = await createVault(api);

interface Row {
  readonly operation: string;
  readonly method: string;
  /** Behind the account. */
  readonly path: string;
  /** A document that is good, for operations that take one. */
  readonly document?: object;
}

const topic = `arn:aws:sns:${api.region}:012345678901:topic`;
const policy = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: '*', Action: 'glacier:InitiateJob', Resource: '*' },
};
const Policy = JSON.stringify(policy);
const notifications = { SNSTopic: topic, Events: ['ArchiveRetrievalCompleted'] };
const retrievalPolicy = { Policy: { Rules: [{ Strategy: 'None' }] } };

function row(operation: string, line: string, document?: object): Row {
  const [method = '', path = ''] = line.split(' ');
  return document === undefined
    ? { operation, method, path }
    : { operation, method, path, document };
}

/** Operations on what belongs to a vault; `{v}` stands for its name. */
const ofVaults: readonly Row[] = [
  row('AddTagsToVault', 'POST vaults/{v}/tags?operation=add', { Tags: { a: '1' } }),
  row('RemoveTagsFromVault', 'POST vaults/{v}/tags?operation=remove', { TagKeys: ['a'] }),
  row('ListTagsForVault', 'GET vaults/{v}/tags'),
  row('SetVaultNotifications', 'PUT vaults/{v}/notification-configuration', notifications),
  row('GetVaultNotifications', 'GET vaults/{v}/notification-configuration'),
  row('DeleteVaultNotifications', 'DELETE vaults/{v}/notification-configuration'),
  row('SetVaultAccessPolicy', 'PUT vaults/{v}/access-policy', { Policy }),
  row('GetVaultAccessPolicy', 'GET vaults/{v}/access-policy'),
  row('DeleteVaultAccessPolicy', 'DELETE vaults/{v}/access-policy'),
  row('InitiateVaultLock', 'POST vaults/{v}/lock-policy', { Policy }),
  row('GetVaultLock', 'GET vaults/{v}/lock-policy'),
  row('CompleteVaultLock', 'POST vaults/{v}/lock-policy/AAAAAAAAAAAAAAAAAAAAAAAA'),
  row('AbortVaultLock', 'DELETE vaults/{v}/lock-policy'),
];

const ofAccounts: readonly Row[] = [
  row('SetDataRetrievalPolicy', 'PUT policies/data-retrieval', retrievalPolicy),
  row('GetDataRetrievalPolicy', 'GET policies/data-retrieval'),
  row('PurchaseProvisionedCapacity', 'POST provisioned-capacity'),
  row('ListProvisionedCapacity', 'GET provisioned-capacity'),
];

const rows = [...ofVaults, ...ofAccounts];

function call(
  { method, path, document }: Row,
  {
    account = '-',
    name = vault,
    body = document === undefined ? undefined : JSON.stringify(document),
    without = [] as readonly string[],
    headers = [] as HeaderLines,
  } = {},
) {
  return api.call(method, `/${account}/${path.replace('{v}', name)}`, { body, without, headers });
}

describe('each operation on settings', () => {
  for (const each of rows) {
    test(`${each.operation} without a version answers 400`, async () => {
      const answer = await call(each, { without: ['x-amz-glacier-version'] });
      const message = 'Required parameter missing: API version';
      assertError(answer, 400, 'MissingParameterValueException', message);
    });

    test(`${each.operation} with another version answers 400`, async () => {
      const answer = await call(each, {
        without: ['x-amz-glacier-version'],
        headers: [['x-amz-glacier-version', '2013-01-01']],
      });
      const message = 'Invalid API version: 2013-01-01';
      assertError(answer, 400, 'InvalidParameterValueException', message);
    });

    test(`${each.operation} without a signature answers 400`, async () => {
      const { method, path } = each;
      const headers: HeaderLines = [
        ['Host', api.host],
        ['x-amz-glacier-version', '2012-06-01'],
        ['Content-Length', '0'],
      ];
      const target = `/-/${path.replace('{v}', vault)}`;
      const answer = await api.transmit({ method, target, headers });
      const message = 'Missing Authentication Token';
      assertError(answer, 400, 'MissingAuthenticationTokenException', message);
    });

    test(`${each.operation} for an account that is none answers 400`, async () => {
      const answer = await call(each, { account: '999999999999' });
      const message = 'No account found for the given parameters';
      assertError(answer, 400, 'UnrecognizedClientException', message);
    });

    test(`${each.operation} for another account answers 403 before anything is judged`, {
      skip: other === undefined && 'there is no second account on this server',
    }, async () => {
      const account = other?.accountId ?? '';
      const message = `Access denied for account ID: ${account}`;
      const body = each.document === undefined ? undefined : '{}';
      const wrong = await call(each, { account, name: 'no-such-vault', ...(body && { body }) });
      assertError(wrong, 403, 'AccessDeniedException', message);
    });
  }
});

describe('each operation on the settings of a vault', () => {
  for (const each of ofVaults) {
    test(`${each.operation} for a name that can't be one answers 404 with it`, async () => {
      const answer = await call(each, { name: 'testz:z' });
      const message = 'Vault not found for ARN: testz:z';
      assertError(answer, 404, 'ResourceNotFoundException', message);
    });

    test(`${each.operation} for a vault without a name answers 404`, async () => {
      const answer = await call(each, { name: '' });
      assertError(answer, 404, 'ResourceNotFoundException', /^Vault not found for ARN: /);
    });
  }
});

describe('each operation that takes a document', () => {
  for (const each of rows.filter(({ document }) => document !== undefined)) {
    test(`${each.operation} with more than 1 MiB answers 400`, async () => {
      const body = JSON.stringify({ ...each.document, Unknown: 'x'.repeat(mebibyte) });
      assertError(await call(each, { body }), 400, 'SerializationException', /./);
    });

    test(`${each.operation} with bytes that are no UTF-8 answers 400`, async () => {
      const { method, path } = each;
      const body = Buffer.from(JSON.stringify({ ...each.document, Unknown: '\u00e9' }), 'latin1');
      const answer = await api.call(method, `/-/${path.replace('{v}', vault)}`, { body });
      assertError(answer, 400, 'SerializationException', /./);
    });
  }
});

describe('paths and methods around settings that are no operation', () => {
  const nowhere: readonly (readonly [method: string, path: string])[] = [
    ['PUT', `vaults/${vault}/tags`],
    ['DELETE', `vaults/${vault}/tags`],
    ['GET', `vaults/${vault}/tags/a`],
    ['POST', `vaults/${vault}/notification-configuration`],
    ['POST', `vaults/${vault}/access-policy`],
    ['GET', `vaults/${vault}/access-policy/a`],
    ['PUT', `vaults/${vault}/lock-policy`],
    ['GET', `vaults/${vault}/lock-policy/a`],
    ['DELETE', `vaults/${vault}/lock-policy/a`],
    ['PUT', `vaults/${vault}/lock-policy/a`],
    ['POST', 'policies/data-retrieval'],
    ['DELETE', 'policies/data-retrieval'],
    ['GET', 'policies'],
    ['GET', 'policies/other'],
    ['PUT', 'provisioned-capacity'],
    ['DELETE', 'provisioned-capacity'],
    ['GET', 'priority-capacity'],
    ['GET', 'provisioned-capacity/a'],
  ];

  for (const [method, path] of nowhere) {
    test(`${method} ${path.replace(vault, 'v')} answers 400 BadRequest`, async () => {
      assertError(await api.call(method, `/-/${path}`), 400, 'BadRequest', 'Bad request');
    });
  }
});

test('clients that send the hashes of a document with it are understood', async () => {
  for (const { method, path, document } of rows) {
    if (document === undefined || path.includes('lock-policy')) continue;
    const body = JSON.stringify(document);
    // Of a document of less than 1 MiB, the tree hash is the same as the linear one.
    const sha256 = sha256Hex(body);
    const headers: HeaderLines = [
      ['x-amz-content-sha256', sha256],
      ['x-amz-sha256-tree-hash', sha256],
    ];
    const target = `/-/${path.replace('{v}', vault)}`;
    const answer = await api.call(method, target, { body, headers });
    assert.equal(answer.status, 204, answer.text);
  }
});

test('tags are told apart by their operation even beside other parameters', async () => {
  const target = `/-/vaults/${vault}/tags?a=b&operation=add&c`;
  assert.equal((await send(api, 'POST', target, { Tags: { beside: '1' } })).status, 204);
});
