import assert from 'node:assert/strict';
import test from 'node:test';
import { operationNames, rowOf } from '../protocol/operations.ts';
import { operationAt, routesOfTable } from './routes.ts';
import { errorIn, Trial, trialAccountId } from './trial-server.ts';

async function placeOf(method: string, target: string): Promise<string> {
  const seen: string[] = [];
  const see = (name: string) => (place: object, id?: unknown) => {
    const vault = 'vaultName' in place ? String(place.vaultName) : '';
    seen.push(`${name}(${vault}${typeof id === 'string' ? `, ${id}` : ''})`);
    return Promise.reject(new Error('seen'));
  };
  await using trial = await Trial.start({
    services: {
      vaults: { list: see('list'), describe: see('describe'), remove: see('remove') },
      archives: { remove: see('removeArchive') },
      jobs: { list: see('listJobs'), describe: see('describeJob'), output: see('output') },
    },
  });
  const reply = await trial.send({ method, target });
  return seen[0] ?? errorIn(reply);
}

test('every operation of the table is found at its own method, path and query', () => {
  const routes = routesOfTable();
  for (const name of operationNames) {
    const [method, template = ''] = rowOf(name).http.split(' ');
    const [path = '', literal = ''] = template.split('?');
    const url = path.replaceAll(/\{\w+\}/g, ':');
    const route = routes.find(
      (each) => each.method === method && each.url.replaceAll(/:\w+/g, ':') === url,
    );
    assert.equal(operationAt(route, new Map(new URLSearchParams(literal))), name);
  }
});

for (const [method, target, place] of [
  ['GET', '/-/vaults', 'list()'],
  ['GET', `/${trialAccountId}/vaults/a`, 'describe(a)'],
  ['GET', '/-/vaults/', 'describe()'],
  ['DELETE', '/-/vaults/', 'remove()'],
  ['GET', '/-/vaults//jobs', 'listJobs()'],
  ['GET', '/-/vaults/a/jobs/', 'describeJob(a, )'],
  ['GET', '/-/vaults/a/jobs//output', 'output(a, )'],
  ['DELETE', '/-/vaults/a/archives/', 'removeArchive(a, )'],
  ['GET', '/-/vaults/a%2Fb', 'describe(a/b)'],
  ['GET', '/-/vaults/a%2fb/jobs', 'listJobs(a/b)'],
  ['GET', '/-/vaults/a%25b', 'describe(a%b)'],
  ['GET', '/-/vaults/a%252Fb', 'describe(a%2Fb)'],
  ['GET', '/-/vaults/a+b', 'describe(a+b)'],
  ['GET', '/-/vaults/a;b', 'describe(a;b)'],
  ['GET', '/-/vaults/..', 'describe(..)'],
  ['GET', '/-/vaults/%2e%2e', 'describe(..)'],
  ['GET', `/-/vaults/${'x'.repeat(5000)}`, `describe(${'x'.repeat(5000)})`],
] as const) {
  test(`${method} ${target.slice(0, 40)} comes to ${place.slice(0, 40)}`, async () => {
    assert.equal(await placeOf(method, target), place);
  });
}

for (const [method, target] of [
  ['GET', '/'],
  ['GET', '/nothing'],
  ['GET', '*'],
  ['GET', '/-/Vaults'],
  ['GET', '/-/vaults///'],
  ['GET', '/-//vaults'],
  ['GET', '/-/vaults/a/'],
  ['GET', '/-/vaults/a/../b'],
  ['GET', '/-/vaults/a/jobs/b/output/c'],
  ['GET', '/-/vaults/%zz'],
  ['GET', '/-/vaults/%ff'],
  ['POST', '/vaults/a/archives'],
  ['PUT', '/-/vaults'],
  ['POST', '/-/vaults/a/tags'],
  ['POST', '/-/vaults/a/tags?operation='],
  ['POST', '/-/vaults/a/tags?operation=Add'],
  ['PATCH', '/-/vaults/a'],
  ['OPTIONS', '/-/vaults'],
  ['TRACE', '/-/vaults'],
  ['QUERY', '/-/vaults'],
  ['PROPFIND', '/-/vaults/a'],
  ['POST', '/healthz'],
] as const) {
  test(`${method} ${target} is no operation`, async () => {
    await using trial = await Trial.start();
    assert.equal(await trial.errorOf({ method, target }), '400 BadRequest: Bad request');
    assert.match(
      await trial.errorOf({ method, target, isSigned: false }),
      /^400 MissingAuthenticationTokenException/,
    );
  });
}

test('HEAD is no operation, and its answer has no body', async () => {
  await using trial = await Trial.start();
  const reply = await trial.send({ method: 'HEAD', target: '/-/vaults' });
  assert.equal(reply.status, 400);
  assert.equal(reply.headers.get('x-amzn-errortype'), 'BadRequest');
});

test('an empty account segment is an account that does not exist', async () => {
  await using trial = await Trial.start();
  assert.equal(
    await trial.errorOf({ method: 'GET', target: '//vaults' }),
    '400 UnrecognizedClientException: No account found for the given parameters',
  );
});

test('the tags operations are told apart by the query', async () => {
  await using trial = await Trial.start();
  for (const [operation, name] of [
    ['add', 'Tags'],
    ['remove', 'TagKeys'],
  ]) {
    const target = `/-/vaults/a/tags?x=1&operation=${operation}`;
    assert.equal(
      await trial.errorOf({ method: 'POST', target, body: '{}' }),
      `400 MissingParameterValueException: Required parameter missing: ${name}`,
    );
  }
});

test('a request target in absolute form is served as its path and query', async () => {
  let seen: unknown;
  const list = (query: unknown) => {
    seen = query;
    return Promise.resolve({ vaults: [], marker: null });
  };
  await using trial = await Trial.start({ services: { vaults: { list } } });
  const head = trial.head({ method: 'GET', target: '/-/vaults?limit=3' });
  const connection = await trial.connect();
  connection.write(head.replace('/-/', 'HTTP://glacier.us-east-1.amazonaws.com/-/'));
  assert.equal((await connection.reply()).status, 200);
  assert.deepEqual(seen, {
    accountId: trialAccountId,
    region: 'us-east-1',
    marker: undefined,
    limit: 3,
  });
});

test('the health check asks nobody who they are', async () => {
  await using trial = await Trial.start();
  const reply = await trial.send({ method: 'GET', target: '/healthz?x', isSigned: false });
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.get('content-type'), 'application/json');
  assert.equal(reply.body, '{"status":"ok"}');
  const head = await trial.send({ method: 'HEAD', target: '/healthz', isSigned: false });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), '15');
  assert.equal(head.body, '');
});

test('the health check is answered with 200 in every condition, and says which it is', async () => {
  for (const status of ['ok', 'full', 'failed']) {
    await using trial = await Trial.start({ health: () => ({ status }) });
    const reply = await trial.send({ method: 'GET', target: '/healthz', isSigned: false });
    assert.equal(`${reply.status} ${reply.body}`, `200 {"status":"${status}"}`);
  }
});
