import assert from 'node:assert/strict';
import test from 'node:test';
import { metricRows } from './metric-table.ts';
import { Metrics } from './metrics.ts';
import { SampleServer } from './status-sample.ts';

async function linesOf(metrics: Metrics, server: SampleServer): Promise<string[]> {
  return (await metrics.text(await server.status.facts())).split('\n');
}

const upload = {
  operation: 'UploadArchive',
  status: 201,
  durationMs: 40,
  bytesIn: 100,
  bytesOut: 7,
};

test('requests are counted by operation and status, with their time and their bytes', async () => {
  const metrics = new Metrics();
  metrics.observe(upload);
  metrics.observe(upload);
  metrics.observe({ ...upload, status: 500, bytesIn: 1 });
  metrics.observe({ ...upload, operation: null, status: null, bytesIn: 0 });
  const lines = await linesOf(metrics, new SampleServer());
  for (const line of [
    'firn_requests_total{operation="UploadArchive",status="201"} 2',
    'firn_requests_total{operation="UploadArchive",status="500"} 1',
    'firn_requests_total{operation="none",status="none"} 1',
    'firn_request_duration_seconds_count{operation="UploadArchive"} 3',
    'firn_request_duration_seconds_bucket{le="0.05",operation="UploadArchive"} 3',
    'firn_request_duration_seconds_bucket{le="0.025",operation="UploadArchive"} 0',
    'firn_request_body_bytes_total{operation="UploadArchive"} 201',
    'firn_reply_body_bytes_total{operation="UploadArchive"} 21',
  ]) {
    assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`);
  }
});

test('gauges show the server as it is at the scrape', async () => {
  const metrics = new Metrics();
  const server = new SampleServer();
  server.condition = 'full';
  const first = await linesOf(metrics, server);
  for (const line of [
    'firn_build_info{version="1.2.3"} 1',
    'firn_store_condition{condition="ready"} 0',
    'firn_store_condition{condition="full"} 1',
    'firn_store_free_bytes 700',
    'firn_journal_sequence 42',
    'firn_last_snapshot_timestamp_seconds 4',
    'firn_scrub_round 3',
    'firn_worker_failing{worker="scrub-archives"} 0',
  ]) {
    assert.ok(first.includes(line), line);
  }
  server.condition = 'ready';
  const second = await linesOf(metrics, server);
  assert.ok(second.includes('firn_store_condition{condition="full"} 0'));
});

test('what has no value yet is left out, and does not stay at its last value', async () => {
  const metrics = new Metrics();
  const server = new SampleServer();
  const named = async (name: string) =>
    (await linesOf(metrics, server)).filter((line) => line.startsWith(name));
  assert.equal((await named('firn_last_snapshot')).length, 1);
  server.lastSnapshotAtMs = null;
  server.scrub = null;
  assert.deepEqual(await named('firn_last_snapshot'), []);
  assert.deepEqual(await named('firn_scrub_'), []);
  assert.deepEqual(await named('firn_worker_last_failure'), []);
  const failure = { state: 'failing', lastError: 'x', lastErrorAtMs: 5_500 } as const;
  server.workers = [{ name: 'a', ...failure }];
  assert.deepEqual(await named('firn_worker_'), [
    'firn_worker_failing{worker="a"} 1',
    'firn_worker_last_failure_timestamp_seconds{worker="a"} 5.5',
  ]);
});

test('every metric of the table is described, beside those of the process', async () => {
  const lines = await linesOf(new Metrics(), new SampleServer());
  for (const { name, kind, help } of metricRows) {
    assert.ok(lines.includes(`# TYPE ${name} ${kind}`), name);
    assert.ok(lines.includes(`# HELP ${name} ${help}`), name);
    assert.match(help, /\.$/);
  }
  for (const name of [
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
    'nodejs_eventloop_lag_seconds',
  ]) {
    assert.ok(
      lines.some((line) => line.startsWith(`${name} `)),
      name,
    );
  }
});

test('two servers in one process count for themselves', async () => {
  const [one, other] = [new Metrics(), new Metrics()];
  one.observe(upload);
  const lines = await linesOf(other, new SampleServer());
  assert.ok(!lines.some((line) => line.startsWith('firn_requests_total{')));
});
