import { commonErrorCodes, type ErrorCode, errorCodes } from '../../src/protocol/errors.ts';
import { limits } from '../../src/protocol/limits.ts';
import { operationNames, rowOf } from '../../src/protocol/operations.ts';
import { code, pageHead, table } from '../markdown.ts';

/** Codes that the API has for any operation, and that nothing in this version comes to send. */
export const neverAnswered: ReadonlySet<string> = new Set<ErrorCode>([
  // There are no temporary credentials that could expire.
  'ExpiredTokenException',
  // Nothing limits how often is asked.
  'ThrottlingException',
]);

export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([name, { status, fault }]) => [
    code(name),
    String(status),
    fault,
    answeredBy(name),
  ]);
  const numbers = Object.entries(limits).map(([name, value]) => [
    code(name),
    value.toLocaleString('en-US'),
  ]);
  return `${pageHead('Errors and limits', 'src/protocol/errors.ts and src/protocol/limits.ts')}\
An error is a JSON document \`{"code": …, "message": …, "type": …}\`: match on \`code\`. Its \`type\` says
whose fault it is. Errors of status 500 show no details; the log has them, under the id that the
header \`x-amzn-RequestId\` gives.

${table(['Code', 'Status', 'Type', 'Answered by'], rows)}
## Limits

Numbers of bytes end in \`Bytes\`, durations in \`Ms\`. The sources stand in \`src/protocol/limits.ts\`.

${table(['Limit', 'Value'], numbers)}`;
}

function answeredBy(name: string): string {
  if (neverAnswered.has(name)) return 'nothing in this version';
  if (commonErrorCodes.some((common) => common === name)) return 'any operation';
  const answering = operationNames.filter((operation) =>
    rowOf(operation).errors.includes(name as ErrorCode),
  );
  // Most of the table answers it: the list of those would be longer than the page.
  if (answering.length > 6) return 'the operations whose section says so';
  return answering.map(code).join(', ');
}
