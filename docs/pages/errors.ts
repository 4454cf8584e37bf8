import { commonErrorCodes, type ErrorCode, errorCodes } from '../../src/protocol/errors.ts';
import { limits } from '../../src/protocol/limits.ts';
import { operationNames, rowOf } from '../../src/protocol/operations.ts';
import { code, pageHead, table } from '../markdown.ts';

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
  if (commonErrorCodes.some((common) => common === name)) return 'any operation';
  const answering = operationNames.filter((operation) =>
    rowOf(operation).errors.includes(name as ErrorCode),
  );
  // Most of the table answers it: the list of those would be longer than the page.
  if (answering.length > 6) return 'the operations whose section says so';
  return answering.map(code).join(', ');
}
