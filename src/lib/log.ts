/** Facts about an event, written as fields of its line. Nothing secret or signed goes in. */
export type Facts = Readonly<Record<string, unknown>>;

/** Where events go: one JSON line each. Names are `noun.past-participle`, as `archive.stored`. */
export interface Log {
  info(event: string, facts?: Facts): void;
  warn(event: string, facts?: Facts): void;
  error(event: string, facts?: Facts): void;
}

/** Drops every event. */
export const silentLog: Log = { info() {}, warn() {}, error() {} };
