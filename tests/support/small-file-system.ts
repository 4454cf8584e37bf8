import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryDirectory } from './temporary-directory.ts';

/** A file system in memory that is soon full; unmounted when it is disposed of. Only for root. */
export class SmallFileSystem {
  readonly path: string;
  readonly #directory = new TemporaryDirectory();

  constructor(sizeMib: number) {
    this.path = this.#directory.path;
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'firn-test', this.path]);
  }

  /** Why there can be none here; false when there can. */
  static whyNot(): string | false {
    try {
      using _trial = new SmallFileSystem(1);
      return false;
    } catch {
      return 'no file system can be mounted here: that takes root on Linux';
    }
  }

  /** Takes all the room that is left, as another program would. */
  fill(): void {
    try {
      for (;;) {
        writeFileSync(join(this.path, 'another-program'), Buffer.alloc(64 * 1024), { flag: 'a' });
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }

  /** Gives back what `fill` took. */
  clear(): void {
    rmSync(join(this.path, 'another-program'), { force: true });
  }

  [Symbol.dispose](): void {
    try {
      execFileSync('umount', [this.path], { stdio: 'pipe' });
    } finally {
      this.#directory[Symbol.dispose]();
    }
  }
}
