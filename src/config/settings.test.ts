import assert from 'node:assert/strict';
import test from 'node:test';
import { settingNames, settingOf } from './settings.ts';

test('each setting has a variable and a flag of its own, and either a default or words for none', () => {
  const seen = new Set<string>();
  for (const name of settingNames) {
    const { variable, flag, default: value, unset, summary } = settingOf(name);
    assert.match(variable, /^FIRN_[A-Z0-9_]+$/);
    assert.match(flag, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    assert.equal(value === null, unset !== undefined, variable);
    assert.match(summary, /\.$/, variable);
    assert.ok(!seen.has(variable) && !seen.has(flag), variable);
    seen.add(variable).add(flag);
  }
});
