import type { Result } from './report.ts';

/** What a measurement is given. */
export interface Settings {
  /** Empty, its own, and removed afterwards: for the server's data and all other files. */
  readonly directory: string;
  readonly repeats: number;
  /** How large the large archive is. */
  readonly mib: number;
  /** How long each repeat of small uploads is measured. */
  readonly seconds: number;
  readonly connections: number;
  readonly profileDirectory: string | undefined;
  /** Tells a person how far it is. */
  readonly say: (text: string) => void;
}

export interface Measurement {
  readonly name: string;
  readonly summary: string;
  /** Fails when something is wrong; never because something is slow. */
  run(settings: Settings): Promise<Result>;
}
