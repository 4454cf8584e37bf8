import { metricRows } from '../../src/admin/metric-table.ts';
import { code, pageHead, table } from '../markdown.ts';

export function metricsPage(): string {
  const rows = metricRows.map(({ name, kind, labels, help }) => [
    code(name),
    kind,
    labels.map(code).join(', '),
    help,
  ]);
  return `${pageHead('Metrics', 'src/admin/metric-table.ts')}\
\`GET /metrics\` of the admin endpoint (\`FIRN_ADMIN_LISTEN\`) answers in the text format of Prometheus.
Dates are seconds since 1970; a date of what never happened is left out. How to have them collected,
and what to be alarmed by, is said in [Monitor](../operations/monitor.md).

${table(['Metric', 'Kind', 'Labels', 'Meaning'], rows)}
\`operation\` is a name of the [operations](operations.md), or \`none\` for a request that asks for none
of them. Health checks are not counted.

Beside these there are those of the process, as \`prom-client\` names them: \`process_\` for memory,
processor time, open files and the start (\`process_start_time_seconds\`), and \`nodejs_\` for the event
loop (\`nodejs_eventloop_lag_p99_seconds\`), the heap and garbage collection.
`;
}
