import assert from 'node:assert/strict';
import test from 'node:test';
import { Findings, findingsMax } from './check-findings.ts';

test('findings are kept in their order up to the most, and counted beyond', () => {
  const findings = new Findings<number>();
  for (let count = 0; count < findingsMax; count += 1) findings.add(count);
  assert.deepEqual([findings.count, findings.kept.length], [findingsMax, findingsMax]);
  findings.add(-1);
  assert.deepEqual([findings.count, findings.kept.length], [findingsMax + 1, findingsMax]);
  assert.equal(findings.kept.at(-1), findingsMax - 1);
});
