/** One metric, as the registry and the reference know it. */
export interface MetricRow {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** One sentence. */
  readonly help: string;
  readonly labels: readonly string[];
}

/** Counted as requests are over. `operation` is `none` for what was no operation of the API. */
export const requestMetrics = {
  requests: {
    name: 'firn_requests_total',
    kind: 'counter',
    help: 'Requests that are over; the status is none where the client was gone before a reply.',
    labels: ['operation', 'status'],
  },
  duration: {
    name: 'firn_request_duration_seconds',
    kind: 'histogram',
    help: 'How long requests took, from their head to the last byte of the reply.',
    labels: ['operation'],
  },
  bytesIn: {
    name: 'firn_request_body_bytes_total',
    kind: 'counter',
    help: 'Bytes of the bodies of requests.',
    labels: ['operation'],
  },
  bytesOut: {
    name: 'firn_reply_body_bytes_total',
    kind: 'counter',
    help: 'Bytes of the bodies of replies.',
    labels: ['operation'],
  },
} as const satisfies Record<string, MetricRow>;

/** Read off the server at each scrape. One without a value, as a date of never, is left out. */
export const gauges = {
  build: {
    name: 'firn_build_info',
    kind: 'gauge',
    help: 'Always 1; the label tells the version that runs.',
    labels: ['version'],
  },
  storeCondition: {
    name: 'firn_store_condition',
    kind: 'gauge',
    help: '1 for the condition that the store is in (ready, full or failed), 0 for the others.',
    labels: ['condition'],
  },
  storeFreeBytes: {
    name: 'firn_store_free_bytes',
    kind: 'gauge',
    help: 'Room that is left on the file system of the store.',
    labels: [],
  },
  storeSizeBytes: {
    name: 'firn_store_size_bytes',
    kind: 'gauge',
    help: 'Size of the file system of the store.',
    labels: [],
  },
  vaults: {
    name: 'firn_vaults',
    kind: 'gauge',
    help: 'Vaults, of all accounts and regions; up to a minute old.',
    labels: [],
  },
  archives: {
    name: 'firn_archives',
    kind: 'gauge',
    help: 'Archives that are in their vaults; up to a minute old.',
    labels: [],
  },
  archiveBytes: {
    name: 'firn_archive_bytes',
    kind: 'gauge',
    help: 'Their sizes together; up to a minute old.',
    labels: [],
  },
  journalBytes: {
    name: 'firn_journal_bytes',
    kind: 'gauge',
    help: 'Size of the journal: what making a lost database again would have to read.',
    labels: [],
  },
  journalSequence: {
    name: 'firn_journal_sequence',
    kind: 'gauge',
    help: 'Number of the last batch of changes in the journal.',
    labels: [],
  },
  lastSnapshot: {
    name: 'firn_last_snapshot_timestamp_seconds',
    kind: 'gauge',
    help: 'When the last snapshot of the database was taken.',
    labels: [],
  },
  scrubRound: {
    name: 'firn_scrub_round',
    kind: 'gauge',
    help: 'Which round of reading everything back is running.',
    labels: [],
  },
  scrubArchivesDone: {
    name: 'firn_scrub_done_archives',
    kind: 'gauge',
    help: 'Archives that were read back in this round.',
    labels: [],
  },
  scrubArchivesTotal: {
    name: 'firn_scrub_all_archives',
    kind: 'gauge',
    help: 'Archives that this round is to read back.',
    labels: [],
  },
  scrubBytesDone: {
    name: 'firn_scrub_done_bytes',
    kind: 'gauge',
    help: 'Bytes that were read back in this round.',
    labels: [],
  },
  scrubBytesTotal: {
    name: 'firn_scrub_all_bytes',
    kind: 'gauge',
    help: 'Bytes that this round is to read back.',
    labels: [],
  },
  scrubRate: {
    name: 'firn_scrub_bytes_per_second',
    kind: 'gauge',
    help: 'How fast it reads.',
    labels: [],
  },
  scrubCompleted: {
    name: 'firn_scrub_last_completed_timestamp_seconds',
    kind: 'gauge',
    help: 'When the last round was complete.',
    labels: [],
  },
  archivesDamaged: {
    name: 'firn_damaged_archives',
    kind: 'gauge',
    help: 'Archives in which the last reading found damage; up to ten minutes old.',
    labels: [],
  },
  archivesUnverified: {
    name: 'firn_unverified_archives',
    kind: 'gauge',
    help: 'Archives that were never read back so far; up to ten minutes old.',
    labels: [],
  },
  oldestVerified: {
    name: 'firn_oldest_verified_timestamp_seconds',
    kind: 'gauge',
    help: 'The oldest date at which an archive was last read back; up to ten minutes old.',
    labels: [],
  },
  workerFailing: {
    name: 'firn_worker_failing',
    kind: 'gauge',
    help: '1 from a failure of a worker until it succeeds again, else 0.',
    labels: ['worker'],
  },
  workerLastFailure: {
    name: 'firn_worker_last_failure_timestamp_seconds',
    kind: 'gauge',
    help: 'When the worker failed last.',
    labels: ['worker'],
  },
} as const satisfies Record<string, MetricRow>;

export type GaugeName = keyof typeof gauges;

/** Every metric of our own, in the order of the reference. */
export const metricRows: readonly MetricRow[] = [
  ...Object.values(requestMetrics),
  ...Object.values(gauges),
];
