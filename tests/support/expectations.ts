import assert from 'node:assert/strict';
import type { Answer } from './http.ts';

/** What every answer has, whatever it says. */
export function assertCommonHeaders({ headers }: Answer): void {
  assert.match(headers.get('x-amzn-requestid') ?? '', /^[A-Za-z0-9_-]{47}$/);
  const date = headers.get('date') ?? '';
  assert.equal(new Date(date).toUTCString(), date);
}

/** An answer that says something with its headers alone. */
export function assertEmpty(answer: Answer, status: 201 | 202 | 204): void {
  assert.equal(answer.status, status, answer.text);
  assertCommonHeaders(answer);
  assert.equal(answer.headers.get('content-length'), status === 204 ? undefined : '0');
  assert.equal(answer.headers.get('content-type'), undefined);
  assert.equal(answer.headers.get('transfer-encoding'), undefined);
  assert.equal(answer.text, '');
}

/** A JSON document, compact, whose keys come in the order of `document`. */
export function assertDocument(answer: Answer, document: unknown): void {
  assert.equal(answer.status, 200, answer.text);
  assertCommonHeaders(answer);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.equal(answer.headers.get('content-length'), String(answer.body.length));
  assert.equal(answer.text, JSON.stringify(document));
}

/** A JSON document, compact, with exactly these members in whatever order. */
export function assertMembers(answer: Answer, document: unknown): void {
  assert.equal(answer.status, 200, answer.text);
  const received: unknown = JSON.parse(answer.text);
  assert.deepEqual(received, document);
  assertDocument(answer, received);
}

/** Bodies that are no JSON object, for operations that take one. */
export const notObjects: readonly string[] = [
  '{',
  'a=b',
  '[]',
  '"text"',
  '1',
  '{"a":}',
  '{"a":1}x',
  '{"a":"\u0001"}',
];

const serverFaults: ReadonlySet<string> = new Set([
  'InsufficientCapacityException',
  'ServiceUnavailableException',
]);

/** An error as the API words it: status, code and message, and nothing else. */
export function assertError(
  answer: Answer,
  status: number,
  code: string,
  message: string | RegExp,
): void {
  const body: Record<string, unknown> = JSON.parse(answer.text || '{}');
  assert.deepEqual(
    { status: answer.status, code: body['code'] },
    { status, code },
    `${answer.status} ${answer.text}`,
  );
  if (typeof message === 'string') assert.equal(body['message'], message);
  else assert.match(String(body['message']), message);
  const type = serverFaults.has(code) ? 'Server' : 'Client';
  assert.equal(answer.text, JSON.stringify({ code, message: body['message'], type }));
  assertCommonHeaders(answer);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.equal(answer.headers.get('content-length'), String(answer.body.length));
  assert.equal(answer.headers.get('x-amzn-errortype') ?? code, code);
}

/** Dates in descriptions: UTC, with milliseconds. */
export const timestampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
