import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  askForJob,
  bytesOf,
  completedJob,
  createVault,
  deleteArchive,
  getOutput,
  initiateJob,
  upload,
} from '../support/deeds.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import { SimulatedClock, startServer } from '../support/start-server.ts';
import { onlyOwnServer } from '../support/target.ts';

describe('ranges of an inventory', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  // With a clock that is turned by hand, archives have the dates that a test gives them.
  const clock = new SimulatedClock(Date.UTC(2026, 2, 1));
  const server = await startServer({ clock });
  after(() => server[Symbol.asyncDispose]());
  const { url, account } = server;
  const api = new Api({ url, credentials: account.credentials, now: () => clock.now() });
  after(() => api[Symbol.dispose]());

  const vault = await createVault(api);
  const hour = 3_600_000;
  /** One archive an hour, from midnight on; its description says which. */
  const ids: string[] = [];
  for (let index = 0; index < 6; index += 1) {
    ids.push(await upload(api, vault, bytesOf(10), String(index)));
    clock.advance(hour);
  }

  type Parameters = Readonly<Record<string, string | number | null>>;

  async function inventory(parameters: Parameters, name = vault) {
    const jobId = await initiateJob(api, name, {
      Type: 'inventory-retrieval',
      InventoryRetrievalParameters: parameters,
    });
    const job = await completedJob(api, name, jobId, clock);
    const { ArchiveList } = JSON.parse((await getOutput(api, name, jobId)).text);
    const shown = ArchiveList.map(
      (each: { ArchiveDescription: string }) => each.ArchiveDescription,
    );
    return { shown: shown.join(''), parameters: job.InventoryRetrievalParameters };
  }

  const ask = (parameters: Parameters, name = vault) =>
    askForJob(api, name, {
      Type: 'inventory-retrieval',
      InventoryRetrievalParameters: parameters,
    });

  const ranges: readonly (readonly [StartDate: string | null, EndDate: string | null, string])[] = [
    [null, null, '012345'],
    ['2026-03-01T02:00:00Z', null, '2345'],
    [null, '2026-03-01T02:00:00Z', '01'],
    ['2026-03-01T01:00:00Z', '2026-03-01T04:00:00Z', '123'],
    ['2026-03-01T01:00:01Z', '2026-03-01T04:00:01Z', '234'],
    ['2026-03-01T02:00:00Z', '2026-03-01T02:00:00Z', ''],
    ['2026-03-02T00:00:00Z', null, ''],
    ['2026-03-01T03:00:00+01:00', null, '2345'],
    ['2026-03-01T03:00:00+0100', null, '2345'],
    ['2026-02-28T21:30:00-05:00', null, '345'],
    ['2026-03-01T02:00:00UTC', null, '2345'],
    ['2026-03-01T02:00:00GMT', null, '2345'],
    ['2026-03-01T02:00:00', null, '2345'],
    ['2026-03-01T02:00:00.000Z', null, '2345'],
  ];

  for (const [StartDate, EndDate, expected] of ranges) {
    test(`from ${StartDate} to ${EndDate} lists "${expected}" and echoes the dates`, async () => {
      const { shown, parameters } = await inventory({ StartDate, EndDate });
      assert.equal(shown, expected);
      const echoed = { EndDate, Format: 'JSON', Limit: null, Marker: null, StartDate };
      assert.equal(JSON.stringify(parameters), JSON.stringify(echoed));
    });
  }

  for (const date of ['yesterday', '2026-03-01', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z']) {
    for (const member of ['StartDate', 'EndDate']) {
      test(`a ${member} of "${date}" answers 400`, async () => {
        const answer = await ask({ [member]: date });
        assertError(answer, 400, 'InvalidParameterValueException', `Invalid date: ${date}`);
      });
    }
  }

  test('a start behind the end answers 400', async () => {
    const answer = await ask({
      StartDate: '2026-03-01T02:00:01Z',
      EndDate: '2026-03-01T02:00:00Z',
    });
    assertError(answer, 400, 'InvalidParameterValueException', /date/);
  });

  test('a limit may be a text or a number, and comes back as a text', async () => {
    for (const Limit of ['2', 2]) {
      const { shown, parameters } = await inventory({ Limit });
      assert.equal(shown, '01');
      assert.equal(parameters?.['Limit'], '2');
      assert.match(parameters?.['Marker'] ?? '', /^[A-Za-z0-9_-]+$/);
    }
  });

  test('a limit that reaches the end, or further, leaves no marker', async () => {
    for (const Limit of ['6', '7', '120000']) {
      const { shown, parameters } = await inventory({ Limit });
      assert.equal(shown, '012345');
      assert.equal(parameters?.['Marker'], null);
    }
  });

  for (const Limit of ['0', '-1', 'all', '1.5', ' ']) {
    test(`a limit of "${Limit}" answers 400`, async () => {
      const answer = await ask({ Limit });
      assertError(answer, 400, 'InvalidParameterValueException', `Invalid limit: ${Limit}`);
    });
  }

  test('markers lead through the whole inventory, and are not echoed at its end', async () => {
    const pages: string[] = [];
    let Marker: string | null = null;
    do {
      const page = await inventory({ Limit: '4', Marker });
      pages.push(page.shown);
      Marker = page.parameters?.['Marker'] ?? null;
    } while (Marker !== null);
    assert.deepEqual(pages, ['0123', '45']);
  });

  test('markers lead through a range of dates', async () => {
    const StartDate = '2026-03-01T01:00:00Z';
    const first = await inventory({ StartDate, Limit: '2' });
    assert.equal(first.shown, '12');
    const Marker = first.parameters?.['Marker'] ?? '';
    const EndDate = '2026-03-01T05:00:00Z';
    assert.equal((await inventory({ StartDate, EndDate, Marker })).shown, '34');
  });

  test('the marker of a job in progress is null', async () => {
    const slow = await startServer({ clock, env: { FIRN_STANDARD_DELAY: '1h' } });
    await using _ = slow;
    using there = api.as({ url: slow.url });
    const name = await createVault(there);
    await upload(there, name, bytesOf(1));
    const jobId = await initiateJob(there, name, {
      Type: 'inventory-retrieval',
      InventoryRetrievalParameters: { Limit: '1' },
    });
    const { text } = await there.call('GET', `/-/vaults/${name}/jobs/${jobId}`);
    assert.equal(JSON.parse(text).InventoryRetrievalParameters.Marker, null);
  });

  test('a marker goes on in a newer inventory, behind an archive that is gone meanwhile', async () => {
    const name = await createVault(api);
    const stored: string[] = [];
    for (const description of ['a', 'b', 'c']) {
      stored.push(await upload(api, name, bytesOf(1), description));
      clock.advance(1000);
    }
    const { parameters } = await inventory({ Limit: '2' }, name);
    await deleteArchive(api, name, stored[1] ?? '');
    await upload(api, name, bytesOf(1), 'd');
    const Marker = parameters?.['Marker'] ?? '';
    assert.equal((await inventory({ Marker }, name)).shown, 'cd');
  });

  test('a marker that nobody gave out, or for another vault, answers 400', async () => {
    const { parameters } = await inventory({ Limit: '1' });
    const own = parameters?.['Marker'] ?? '';
    const another = await createVault(api);
    const wrong: readonly (readonly [marker: string, name: string])[] = [
      ['made-up', vault],
      [`${own}A`, vault],
      [own.slice(0, -4), vault],
      [own, another],
    ];
    for (const [Marker, name] of wrong) {
      const answer = await ask({ Marker }, name);
      assertError(answer, 400, 'InvalidParameterValueException', `Invalid marker: ${Marker}`);
    }
  });

  test('an inventory shows the vault as it was when the job was asked for', async () => {
    const slow = await startServer({ clock, env: { FIRN_STANDARD_DELAY: '1h' } });
    await using _ = slow;
    using there = api.as({ url: slow.url });
    const name = await createVault(there);
    const gone = await upload(there, name, bytesOf(1), 'deleted after the request');
    clock.advance(1000);
    await upload(there, name, bytesOf(1), 'there all the time');
    const askedAt = clock.now();
    const jobId = await initiateJob(there, name, { Type: 'inventory-retrieval' });
    clock.advance(10_000);
    await deleteArchive(there, name, gone);
    await upload(there, name, bytesOf(1), 'added after the request');
    clock.advance(hour);
    await completedJob(there, name, jobId, clock);
    const { InventoryDate, ArchiveList } = JSON.parse((await getOutput(there, name, jobId)).text);
    assert.deepEqual(
      ArchiveList.map((each: { ArchiveDescription: string }) => each.ArchiveDescription),
      ['deleted after the request', 'there all the time'],
    );
    assert.equal(Date.parse(InventoryDate), askedAt);
  });

  test('an inventory of more archives than fit a page of the database is complete', async () => {
    const name = await createVault(api);
    const count = 1100;
    const descriptions = Array.from({ length: count }, (_, index) => `n${index}`);
    for (let at = 0; at < count; at += 50) {
      const some = descriptions.slice(at, at + 50);
      await Promise.all(some.map((description) => upload(api, name, Buffer.of(1), description)));
    }
    const { shown } = await inventory({}, name);
    assert.equal(shown.length, descriptions.join('').length);
    const { shown: first, parameters } = await inventory({ Limit: '1050' }, name);
    const { shown: rest } = await inventory({ Marker: parameters?.['Marker'] ?? '' }, name);
    assert.equal(`${first}${rest}`, shown);
  });

  test('empty texts count as none, and are not echoed', async () => {
    const name = await createVault(api);
    await upload(api, name, bytesOf(1), 'all');
    const empty = { StartDate: '', EndDate: '', Limit: '', Marker: '' };
    const { shown, parameters } = await inventory(empty, name);
    assert.equal(shown, 'all');
    const echoed = { EndDate: null, Format: 'JSON', Limit: null, Marker: null, StartDate: null };
    assert.equal(JSON.stringify(parameters), JSON.stringify(echoed));
  });

  test('a job without any parameters of the kind is accepted too', async () => {
    assertEmpty(await askForJob(api, vault, { Type: 'inventory-retrieval' }), 202);
    assertEmpty(await ask({}), 202);
  });
});
