import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  askForJob,
  bytesOf,
  completedJob,
  createVault,
  freshName,
  initiateJob,
  upload,
} from '../support/deeds.ts';
import {
  assertDocument,
  assertEmpty,
  assertError,
  timestampPattern,
} from '../support/expectations.ts';
import { openTarget } from '../support/target.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const { api, account } = await openTarget();
const vault = await createVault(api);
const bytes = bytesOf(3 * mebibyte + 100);
const archiveId = await upload(api, vault, bytes, 'an archive');
const whole = { Type: 'archive-retrieval', ArchiveId: archiveId };

const arnOf = (name: string) => `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${name}`;

const ask = (parameters: unknown) => askForJob(api, vault, parameters);

test('starting a retrieval answers 202 with id and location', async () => {
  const answer = await ask(whole);
  assertEmpty(answer, 202);
  const jobId = answer.headers.get('x-amz-job-id') ?? '';
  assert.match(jobId, /^[A-Za-z0-9][A-Za-z0-9_-]{91}$/);
  const location = `/${account.accountId}/vaults/${vault}/jobs/${jobId}`;
  assert.equal(answer.headers.get('location'), location);
});

test('each request is a job of its own', async () => {
  const [a, b] = [await initiateJob(api, vault, whole), await initiateJob(api, vault, whole)];
  assert.notEqual(a, b);
});

test('a completed retrieval of a whole archive has all its members, in order', async () => {
  const jobId = await initiateJob(api, vault, whole);
  await completedJob(api, vault, jobId);
  const answer = await api.call('GET', `/-/vaults/${vault}/jobs/${jobId}`);
  const { CreationDate, CompletionDate } = JSON.parse(answer.text);
  assertDocument(answer, {
    Action: 'ArchiveRetrieval',
    ArchiveId: archiveId,
    ArchiveSHA256TreeHash: treeHashOf(bytes),
    ArchiveSizeInBytes: bytes.length,
    Completed: true,
    CompletionDate,
    CreationDate,
    InventoryRetrievalParameters: null,
    InventorySizeInBytes: null,
    JobDescription: null,
    JobId: jobId,
    RetrievalByteRange: `0-${bytes.length - 1}`,
    SHA256TreeHash: treeHashOf(bytes),
    SNSTopic: null,
    StatusCode: 'Succeeded',
    StatusMessage: 'Succeeded',
    Tier: 'Standard',
    VaultARN: arnOf(vault),
  });
  assert.match(CreationDate, timestampPattern);
  assert.match(CompletionDate, timestampPattern);
  assert.ok(CompletionDate >= CreationDate);
});

test('description, topic and tier come back as they were given', async () => {
  const given = { Description: ' My "job" \\ ', Tier: 'Expedited' };
  const SNSTopic = `arn:aws:sns:${api.region}:${account.accountId}:done`;
  const jobId = await initiateJob(api, vault, { ...whole, ...given, SNSTopic });
  const job = await completedJob(api, vault, jobId);
  assert.equal(job.JobDescription, given.Description);
  assert.equal(job.Tier, 'Expedited');
  assert.equal(job.SNSTopic, SNSTopic);
});

for (const tier of ['Expedited', 'Standard', 'Bulk']) {
  test(`the tier ${tier} is accepted`, async () => {
    const jobId = await initiateJob(api, vault, { ...whole, Tier: tier });
    assert.equal((await completedJob(api, vault, jobId)).Tier, tier);
  });
}

const last = bytes.length - 1;
const goodRanges: readonly (readonly [first: number, last: number, hasTreeHash: boolean])[] = [
  [0, last, true],
  [0, mebibyte - 1, true],
  [mebibyte, 2 * mebibyte - 1, true],
  [0, 2 * mebibyte - 1, true],
  [2 * mebibyte, last, true],
  [3 * mebibyte, last, true],
  [mebibyte, 3 * mebibyte - 1, false],
  [mebibyte, last, false],
  [0, 3 * mebibyte - 1, false],
];

for (const [first, end, hasTreeHash] of goodRanges) {
  const adverb = hasTreeHash ? 'with' : 'without';
  test(`the range ${first}-${end} is retrieved, ${adverb} a tree hash`, async () => {
    const RetrievalByteRange = `${first}-${end}`;
    const jobId = await initiateJob(api, vault, { ...whole, RetrievalByteRange });
    const job = await completedJob(api, vault, jobId);
    assert.equal(job.RetrievalByteRange, RetrievalByteRange);
    assert.equal(job.ArchiveSizeInBytes, bytes.length);
    assert.equal(job.ArchiveSHA256TreeHash, treeHashOf(bytes));
    const treeHash = treeHashOf(bytes.subarray(first, end + 1));
    assert.equal(job.SHA256TreeHash, hasTreeHash ? treeHash : null);
  });
}

const badRanges: readonly string[] = [
  '1-1048575',
  '0-1048574',
  '0-1048576',
  `0-${last + 1}`,
  `0-${4 * mebibyte - 1}`,
  '4194304-5242879',
  '2097152-1048575',
  '1048576-0',
  '0-',
  '-1048575',
  'bytes=0-1048575',
  '0-1048575,2097152-3145727',
  'a-b',
  '0',
  ' 0-1048575',
  '0-99999999999999999999999',
];

for (const RetrievalByteRange of badRanges) {
  test(`the range "${RetrievalByteRange}" answers 400`, async () => {
    const message = `The retrieval byte range is not valid: ${RetrievalByteRange}`;
    const answer = await ask({ ...whole, RetrievalByteRange });
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });
}

test('null members count as absent', async () => {
  const jobId = await initiateJob(api, vault, {
    ...whole,
    Description: null,
    Format: null,
    InventoryRetrievalParameters: null,
    OutputLocation: null,
    RetrievalByteRange: null,
    SelectParameters: null,
    SNSTopic: null,
    Tier: null,
  });
  assert.equal((await completedJob(api, vault, jobId)).Tier, 'Standard');
});

test('members that nobody knows are ignored', async () => {
  assertEmpty(await ask({ ...whole, Unknown: { a: [1] }, type: 'lower case' }), 202);
});

test('an empty object of inventory parameters does no harm', async () => {
  assertEmpty(await ask({ ...whole, InventoryRetrievalParameters: {} }), 202);
});

for (const type of ['application/x-www-form-urlencoded; charset=utf-8', 'text/plain', null]) {
  test(`the parameters are read as JSON although their type is ${type ?? 'not given'}`, async () => {
    const answer = await api.call('POST', `/-/vaults/${vault}/jobs`, {
      body: JSON.stringify(whole, null, 2),
      headers: type === null ? [] : [['Content-Type', type]],
    });
    assertEmpty(answer, 202);
  });
}

test('a job for an unknown vault answers 404', async () => {
  const name = freshName();
  const message = `Vault not found for ARN: ${arnOf(name)}`;
  assertError(await askForJob(api, name, whole), 404, 'ResourceNotFoundException', message);
});

test('no parameters at all answer 400', async () => {
  const message = 'Required parameter missing: Job Parameters';
  for (const body of [undefined, '']) {
    const answer = await api.call('POST', `/-/vaults/${vault}/jobs`, { body });
    assertError(answer, 400, 'MissingParameterValueException', message);
  }
});

for (const parameters of [{}, { Type: null }, { ArchiveId: archiveId }]) {
  test(`parameters without a type answer 400: ${Object.keys(parameters)}`, async () => {
    const message = 'Required parameter missing: type';
    assertError(await ask(parameters), 400, 'MissingParameterValueException', message);
  });
}

for (const Type of ['Archive-Retrieval', 'ARCHIVE-RETRIEVAL', 'delete', 'select ']) {
  test(`the type "${Type}" answers 400`, async () => {
    const answer = await ask({ ...whole, Type });
    assertError(answer, 400, 'InvalidParameterValueException', `Invalid job type: ${Type}`);
  });
}

test('select jobs, which are not built yet, answer 400', async () => {
  const answer = await ask({ Type: 'select', ArchiveId: archiveId });
  assertError(answer, 400, 'InvalidParameterValueException', 'Invalid job type: select');
});

for (const body of ['{', 'Type=archive-retrieval', '[]', '"text"', '{"Type":}', '{"a":1}x']) {
  test(`a body that is no JSON object answers 400: ${body}`, async () => {
    assertError(await ask(body), 400, 'SerializationException', /./);
  });
}

for (const parameters of [
  { ...whole, Type: 1 },
  { ...whole, ArchiveId: {} },
  { ...whole, Description: ['a'] },
  { ...whole, InventoryRetrievalParameters: 'none' },
]) {
  test(`a member of the wrong JSON type answers 400: ${JSON.stringify(parameters).slice(0, 60)}`, async () => {
    assertError(await ask(parameters), 400, 'SerializationException', /./);
  });
}

test('a body of more than 1 MiB answers 400', async () => {
  const body = JSON.stringify({ ...whole, Unknown: 'x'.repeat(mebibyte) });
  assertError(await ask(body), 400, 'SerializationException', /./);
});

test('a body of almost 1 MiB is read', async () => {
  assertEmpty(await ask({ ...whole, Unknown: 'x'.repeat(mebibyte - 1000) }), 202);
});

test('a retrieval without an archive answers 400', async () => {
  const message = 'Required parameter missing: archiveId';
  const answer = await ask({ Type: 'archive-retrieval' });
  assertError(answer, 400, 'MissingParameterValueException', message);
});

for (const ArchiveId of ['A'.repeat(138), 'no-such-archive']) {
  test(`retrieving an unknown archive, by an id of ${ArchiveId.length} characters, answers 404`, async () => {
    const message = `The archive ID was not found: ${ArchiveId}`;
    assertError(await ask({ ...whole, ArchiveId }), 404, 'ResourceNotFoundException', message);
  });
}

test('retrieving through another vault answers 400 with the ARN of that one', async () => {
  const another = await createVault(api);
  const message = `Invalid vault name: ${arnOf(another)}`;
  const answer = await askForJob(api, another, whole);
  assertError(answer, 400, 'InvalidParameterValueException', message);
});

test('a description may have 1,024 characters, and no more', async () => {
  assertEmpty(await ask({ ...whole, Description: 'x'.repeat(1024) }), 202);
  const answer = await ask({ ...whole, Description: 'x'.repeat(1025) });
  assertError(answer, 400, 'InvalidParameterValueException', 'The job description is not valid');
});

for (const Description of ['café', 'a\tb', 'a\nb', '\u007f']) {
  test(`a description with ${JSON.stringify(Description)} answers 400`, async () => {
    const message = 'The job description is not valid';
    const answer = await ask({ ...whole, Description });
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });
}

test('an empty tier counts as none', async () => {
  const jobId = await initiateJob(api, vault, { ...whole, Tier: '' });
  assert.equal((await completedJob(api, vault, jobId)).Tier, 'Standard');
});

test('empty inventory parameters count as none', async () => {
  const empty = { StartDate: '', EndDate: '', Limit: '', Marker: '', Format: '' };
  assertEmpty(await ask({ ...whole, InventoryRetrievalParameters: empty }), 202);
});

for (const Tier of ['standard', 'Fast', ' ']) {
  test(`the tier "${Tier}" answers 400`, async () => {
    const answer = await ask({ ...whole, Tier });
    assertError(answer, 400, 'InvalidParameterValueException', `Invalid tier: ${Tier}`);
  });
}

for (const SNSTopic of ['topic', 'arn:aws:sqs:us-east-1:012345678901:queue', '']) {
  test(`the topic "${SNSTopic}", which is none, answers 400`, async () => {
    const answer = await ask({ ...whole, SNSTopic });
    const message = `Invalid SNS topic ARN: ${SNSTopic}`;
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });
}

for (const extra of [{ Format: 'CSV' }, { InventoryRetrievalParameters: { Limit: '1' } }]) {
  test(`an archive retrieval with ${Object.keys(extra)} answers 400`, async () => {
    assertError(await ask({ ...whole, ...extra }), 400, 'InvalidParameterValueException', /./);
  });
}
