import type { Facts, Log } from '../../src/lib/log.ts';

export interface RecordedEvent {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly facts: Facts;
}

/** Keeps every event, so that a test can look at what was told. */
export class RecordedLog implements Log {
  readonly events: RecordedEvent[] = [];

  info(event: string, facts: Facts = {}): void {
    this.events.push({ level: 'info', event, facts });
  }

  warn(event: string, facts: Facts = {}): void {
    this.events.push({ level: 'warn', event, facts });
  }

  error(event: string, facts: Facts = {}): void {
    this.events.push({ level: 'error', event, facts });
  }

  /** Names of the events of a level, in their order. */
  names(level: RecordedEvent['level']): string[] {
    return this.events.filter((one) => one.level === level).map((one) => one.event);
  }
}
