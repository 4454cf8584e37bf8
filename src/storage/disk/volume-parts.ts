import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { RandomBytes } from '../../lib/random.ts';
import type { Files, Layout } from './files.ts';
import type { FrameCiphers } from './frame-ciphers.ts';
import type { FramePool } from './frame-pipeline.ts';
import type { HeaderReader } from './header-reader.ts';
import type { MasterKeys } from './master-keys.ts';
import type { Room } from './room.ts';
import type { WriteGate } from './write-gate.ts';

/** What all that is kept in one directory shares. */
export interface VolumeParts {
  readonly files: Files;
  readonly layout: Layout;
  readonly storeId: string;
  readonly masterKeys: MasterKeys;
  readonly randomBytes: RandomBytes;
  readonly clock: Clock;
  readonly log: Log;
  readonly gate: WriteGate;
  readonly room: Room;
  readonly headers: HeaderReader;
  readonly pool: FramePool;
  readonly ciphers: FrameCiphers;
}
