import assert from 'node:assert/strict';
import test from 'node:test';
import { OwnHost } from './own-host.ts';

const rebound = ['evil.example', 'evil.example:8481', '127.0.0.1.evil.example', '', 'a:b:c'];

test('a loopback listener answers under loopback names, with any port, and no others', () => {
  const own = new OwnHost({ host: '127.0.0.1', names: [] });
  for (const header of ['127.0.0.1:8481', 'localhost', 'LOCALHOST:1', '[::1]:8481', '127.1.2.3']) {
    assert.ok(own.includes(header), header);
  }
  for (const header of [undefined, ...rebound, '10.0.0.1', '[fe80::1]:8481', 'localhost.evil']) {
    assert.ok(!own.includes(header), header);
  }
});

test('a listener answers under its own name and those that the settings give', () => {
  const own = new OwnHost({ host: '10.0.0.1', names: ['archive.example:8480'] });
  for (const header of ['10.0.0.1:8481', 'archive.example:8481', 'Archive.Example']) {
    assert.ok(own.includes(header), header);
  }
  for (const header of [...rebound, '10.0.0.2']) assert.ok(!own.includes(header), header);
});

test('a listener on every address answers under any address, and not under any name', () => {
  for (const host of ['0.0.0.0', '::']) {
    const own = new OwnHost({ host, names: [] });
    for (const header of ['10.0.0.2:8481', '[fe80::1]']) assert.ok(own.includes(header), header);
    for (const header of rebound) assert.ok(!own.includes(header), header);
  }
});
