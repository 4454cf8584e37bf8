import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that is gone, with all that is in it, when it is disposed of. */
export class TemporaryDirectory {
  readonly path = mkdtempSync(join(tmpdir(), 'firn-test-'));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
