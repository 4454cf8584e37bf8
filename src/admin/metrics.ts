import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { gaugeValues } from './gauge-values.ts';
import { type GaugeName, gauges, type MetricRow, requestMetrics } from './metric-table.ts';
import type { StatusFacts } from './status.ts';

/** What is measured of a request when it is over. */
export interface ObservedRequest {
  readonly operation: string | null;
  readonly status: number | null;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** From answers out of memory to an hour, which an archive over a slow line may take. */
const durationBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600,
];

/** The metrics of one server, in a registry of its own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = this.#counter(requestMetrics.requests);
  readonly #bytesIn = this.#counter(requestMetrics.bytesIn);
  readonly #bytesOut = this.#counter(requestMetrics.bytesOut);
  readonly #duration = new Histogram<string>({
    ...configurationOf(requestMetrics.duration),
    buckets: durationBuckets,
    registers: [this.#registry],
  });
  readonly #gauges: ReadonlyMap<GaugeName, Gauge<string>>;

  constructor() {
    const names = Object.keys(gauges) as GaugeName[];
    this.#gauges = new Map(names.map((name) => [name, this.#gauge(gauges[name])]));
    collectDefaultMetrics({ register: this.#registry });
  }

  readonly observe = (request: ObservedRequest): void => {
    const operation = request.operation ?? 'none';
    const status = request.status === null ? 'none' : String(request.status);
    this.#requests.inc({ operation, status });
    this.#duration.observe({ operation }, request.durationMs / 1000);
    this.#bytesIn.inc({ operation }, request.bytesIn);
    this.#bytesOut.inc({ operation }, request.bytesOut);
  };

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, as Prometheus reads it. */
  async text(facts: StatusFacts): Promise<string> {
    const values = gaugeValues(facts);
    for (const [name, gauge] of this.#gauges) {
      const samples = values[name];
      // What was there and is no more must not stay at its last value.
      gauge.reset();
      for (const { labels, value } of samples) gauge.set(labels, value);
      // The library shows a gauge without labels as 0, which would be a date in 1970.
      if (samples.length === 0 && gauges[name].labels.length === 0) gauge.remove();
    }
    return this.#registry.metrics();
  }

  #counter(row: MetricRow): Counter<string> {
    return new Counter({ ...configurationOf(row), registers: [this.#registry] });
  }

  #gauge(row: MetricRow): Gauge<string> {
    return new Gauge({ ...configurationOf(row), registers: [this.#registry] });
  }
}

function configurationOf({ name, help, labels }: MetricRow) {
  return { name, help, labelNames: [...labels] };
}
