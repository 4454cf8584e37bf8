import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files of blobs below a directory, with their sizes: not those of rows, nor of who runs. */
export function storedFiles(directory: string): ReadonlyMap<string, number> {
  const files = new Map<string, number>();
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/\.sqlite|server\.(?:lock|pid|admin)|(?:journal|snapshots)\/|reserve$/.test(name)) continue;
    // A file may be gone between being listed and being looked at.
    const stats = statSync(join(directory, name), { throwIfNoEntry: false });
    if (stats?.isFile() === true) files.set(name, stats.size);
  }
  return files;
}

/** The names of such files that were not there `before`; whatever else went meanwhile. */
export function filesSince(directory: string, before: ReadonlyMap<string, number>): string[] {
  return [...storedFiles(directory).keys()].filter((name) => !before.has(name));
}
