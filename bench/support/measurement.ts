import type { Result } from './report.ts';

/** What a measurement is given. */
export interface Settings {
  /** Empty, its own, and removed afterwards: for the server's data and for nginx's. */
  readonly directory: string;
  /** The same, but in memory; undefined where the machine has no place for that. */
  readonly memoryDirectory: string | undefined;
  readonly repeats: number;
  /** How large the large archive is. */
  readonly mib: number;
  /** How long each repeat of small uploads is measured. */
  readonly seconds: number;
  readonly connections: number;
  /** How many processes the load of small uploads comes from. */
  readonly generators: number;
  /** How many small archives a million are. */
  readonly count: number;
  /** How many rows are behind a page of a list. */
  readonly rows: number;
  /** How many parts an upload of many has. */
  readonly parts: number;
  readonly profileDirectory: string | undefined;
  /** Tells a person how far it is. */
  readonly say: (text: string) => void;
}

export interface Measurement {
  readonly name: string;
  readonly summary: string;
  /** It takes long: it is measured when it is named, and only then. */
  readonly isOnDemand?: true;
  /** Fails when something is wrong; never because something is slow. */
  run(settings: Settings): Promise<Result>;
}
