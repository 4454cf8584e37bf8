import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from './child.ts';

/** Where files are made, and removed afterwards. */
export interface Disk extends Disposable {
  readonly directory: string;
  /** What kind of place it is, in a sentence. */
  readonly about: string;
}

/**
 * A fresh file system with a journal, in a file of its own: an ext4 on a loop device, so that no run
 * finds what an earlier one left. Only root may mount one.
 */
export function freshDisk(gib: number): Disk {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('Only root can mount a fresh file system: name a directory with --dir.');
  }
  const parent = mkdtempSync(join(tmpdir(), 'firn-bench-disk-'));
  const image = join(parent, 'image');
  const directory = join(parent, 'mounted');
  const detach = makeDetach(parent, directory);
  try {
    writeFileSync(image, '');
    truncateSync(image, gib * 2 ** 30);
    mkdirSync(directory);
    // What is put off at making is written by the kernel later, beside what is measured.
    const complete = ['-E', 'lazy_itable_init=0,lazy_journal_init=0'];
    execFileSync('mkfs.ext4', ['-q', '-F', ...complete, image]);
    mountImage(image, directory);
  } catch (cause) {
    detach();
    throw new Error('No file system can be mounted here: name a directory with --dir.', { cause });
  }
  process.once('exit', detach);
  return {
    directory,
    about: `The files were on a fresh ext4 of ${gib} GiB, on a loop device over ${tmpdir()}.`,
    [Symbol.dispose]: () => {
      process.off('exit', detach);
      detach();
    },
  };
}

/** A new directory within one that somebody named. */
export function namedDisk(parent: string): Disk {
  const directory = mkdtempSync(join(resolve(parent), 'firn-bench-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', remove);
  return {
    directory,
    about: `The files were in ${directory}, a file system that was there before.`,
    [Symbol.dispose]: () => {
      process.off('exit', remove);
      remove();
    },
  };
}

/** Has everything written that waits to be, so that nobody pays for what another one left. */
export async function settle(directory: string): Promise<void> {
  await run('sync', ['-f', directory]);
}

function mountImage(image: string, directory: string): void {
  // Without direct I/O every byte is cached twice, and a sync costs several times what it does on
  // the disk below.
  const attach = ['--find', '--show', '--direct-io=on', image];
  const device = execFileSync('losetup', attach, { encoding: 'utf8' }).trim();
  try {
    execFileSync('mount', [device, directory]);
  } finally {
    // Takes effect once it is no longer mounted, however this process ends.
    execFileSync('losetup', ['--detach', device]);
  }
}

function makeDetach(parent: string, directory: string): () => void {
  return () => {
    try {
      execFileSync('umount', ['--lazy', directory], { stdio: 'ignore' });
    } catch {
      // It was not mounted.
    }
    rmSync(parent, { recursive: true, force: true });
  };
}
