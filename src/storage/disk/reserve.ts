import type { Log } from '../../lib/log.ts';
import type { RandomBytes } from '../../lib/random.ts';
import {
  type FileSystemRoom,
  type Files,
  isFileError,
  type Layout,
  type OpenFile,
} from './files.ts';

const reserveBytesMax = 64 * 1024 * 1024;
const marginBytesMax = 16 * 1024 * 1024;
/** Written at a time. */
const chunkBytes = 1024 * 1024;
/** Written when all that is before it is durable: a file of the full length is full. */
const lastBytes = 4096;

export interface ReserveSizes {
  /** What the reserve takes: 64 MiB, or a sixteenth of a small file system. */
  readonly reserveBytes: number;
  /** What is left free beside it before the store refuses what is new: a quarter as much. */
  readonly marginBytes: number;
}

export function reserveSizes(
  { sizeBytes }: Pick<FileSystemRoom, 'sizeBytes'>,
  bytesMax = reserveBytesMax,
): ReserveSizes {
  // Of a file system that does not tell its size the largest is taken, if there is room for it.
  const size = sizeBytes === 0 ? Number.POSITIVE_INFINITY : sizeBytes;
  return {
    reserveBytes: Math.floor(Math.min(bytesMax, size / 16)),
    marginBytes: Math.floor(Math.min(marginBytesMax, bytesMax / 4, size / 64)),
  };
}

export interface ReserveOptions {
  readonly files: Files;
  readonly layout: Layout;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
  /** 64 MiB unless a test says otherwise. */
  readonly reserveBytesMax?: number;
}

/**
 * Room that was taken beforehand, as a file of nothing. It is given back when the disk is full, so
 * that what must not fail for want of room finds some: a removal, which has to be written down
 * before it makes any.
 *
 * 1. It is filled with random bytes, and synced: a file system that compresses, shares equal blocks
 *    or puts off taking room finds nothing to save.
 * 2. Nothing depends on it. So whatever fails here is told to the log, and nothing else happens;
 *    its syncs do not go through the gate of the store's, which a full disk would shut.
 */
export class Reserve {
  readonly #with: ReserveOptions;
  #sizes: ReserveSizes;
  #isHeld: boolean;
  #releasing: Promise<boolean> | undefined;
  #restoring: Promise<boolean> | undefined;

  /** Takes the reserve, if there is room for it and it is not there. */
  static async open(options: ReserveOptions): Promise<Reserve> {
    const { files, layout } = options;
    let sizes = reserveSizes({ sizeBytes: 0 }, options.reserveBytesMax);
    let isHeld = false;
    try {
      const room = await files.room(layout.version);
      sizes = reserveSizes(room, options.reserveBytesMax);
      isHeld = (await sizeOf(files, layout.reserve)) >= sizes.reserveBytes;
    } catch (cause) {
      options.log.warn('reserve.failed', { cause });
    }
    const reserve = new Reserve(options, sizes, isHeld);
    await reserve.restore();
    return reserve;
  }

  private constructor(options: ReserveOptions, sizes: ReserveSizes, isHeld: boolean) {
    this.#with = options;
    this.#sizes = sizes;
    this.#isHeld = isHeld;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** What it will take once it is held again; 0 while it is. */
  get missingBytes(): number {
    return this.#isHeld ? 0 : this.#sizes.reserveBytes;
  }

  /** Gives the room back. Resolves to whether there was any to give. Never rejects. */
  release(): Promise<boolean> {
    this.#releasing ??= this.#afterRestoring(() => this.#release()).finally(() => {
      this.#releasing = undefined;
    });
    return this.#releasing;
  }

  /** Takes the room again if there is enough. Resolves to whether it is held. Never rejects. */
  restore(): Promise<boolean> {
    this.#restoring ??= this.#afterReleasing(() => this.#restore()).finally(() => {
      this.#restoring = undefined;
    });
    return this.#restoring;
  }

  async #afterRestoring(run: () => Promise<boolean>): Promise<boolean> {
    await this.#restoring;
    return await run();
  }

  async #afterReleasing(run: () => Promise<boolean>): Promise<boolean> {
    await this.#releasing;
    return await run();
  }

  async #release(): Promise<boolean> {
    if (!this.#isHeld) return false;
    const { files, layout, log } = this.#with;
    try {
      const file = await files.open(layout.reserve, 'read and write');
      try {
        await file.truncate(0);
        this.#isHeld = false;
        // File systems give room to others only when it is durable that this one has it no more.
        await file.sync();
      } finally {
        await file.close();
      }
      log.warn('reserve.released', { sizeBytes: this.#sizes.reserveBytes });
    } catch (cause) {
      log.warn('reserve.failed', { cause });
    }
    return !this.#isHeld;
  }

  async #restore(): Promise<boolean> {
    if (this.#isHeld) return true;
    const { files, layout, log } = this.#with;
    try {
      const { sizeBytes, freeBytes } = await files.room(layout.version);
      this.#sizes = reserveSizes({ sizeBytes }, this.#with.reserveBytesMax);
      const { reserveBytes, marginBytes } = this.#sizes;
      // Not to the last byte: else it would be given back at once, and taken again, and so on.
      if (sizeBytes !== 0 && freeBytes < reserveBytes + marginBytes) return false;
      const file = await openOrCreate(files, layout.reserve);
      try {
        await this.#fill(file);
      } finally {
        await file.close();
      }
      this.#isHeld = true;
      log.info('reserve.taken', { sizeBytes: reserveBytes });
    } catch (cause) {
      log.warn('reserve.failed', { cause });
    }
    return this.#isHeld;
  }

  async #fill(file: OpenFile): Promise<void> {
    const { reserveBytes } = this.#sizes;
    const { randomBytes } = this.#with;
    try {
      await file.truncate(0);
      const end = Math.max(0, reserveBytes - lastBytes);
      for (let at = 0; at < end; at += chunkBytes) {
        await file.write(randomBytes(Math.min(chunkBytes, end - at)), at);
      }
      await file.sync();
      await file.write(randomBytes(reserveBytes - end), end);
      await file.sync();
    } catch (error) {
      // There was less room than it seemed. What was taken of it goes back.
      await file.truncate(0);
      throw error;
    }
  }
}

/** The size of a file; 0 when there is none. */
async function sizeOf(files: Files, path: string): Promise<number> {
  try {
    const file = await files.open(path, 'read');
    try {
      return await file.size();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return 0;
    throw error;
  }
}

async function openOrCreate(files: Files, path: string): Promise<OpenFile> {
  try {
    return await files.open(path, 'read and write');
  } catch (error) {
    if (!isFileError(error, 'ENOENT')) throw error;
    return await files.create(path);
  }
}
