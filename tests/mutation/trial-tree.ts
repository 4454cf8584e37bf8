import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { root } from '../structure/source-files.ts';
import { type Mutation, mutate } from './mutation.ts';

/** What the tests read, as far as they are of use here. */
const copied = ['src', 'tests', 'bin', 'package.json', 'tsconfig.json'] as const;

/** A test that goes on for longer has failed: leaving out a step may well leave one waiting. */
const timeLimitMs = 300_000;

/** What a test file has come to. */
export type Outcome =
  | { readonly kind: 'green' }
  /** The title of the first test that failed. */
  | { readonly kind: 'red'; readonly title: string }
  /** It could not be run at all, and so says nothing about anything. */
  | { readonly kind: 'broken'; readonly reason: string };

/** A copy of the source tree, in which one mutation at a time is made. */
export class TrialTree implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'firn-mutation-'));

  constructor() {
    for (const name of copied) {
      cpSync(join(root, name), join(this.#directory, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(this.#directory, 'node_modules'), 'junction');
    mkdirSync(this.#temporary);
  }

  /** What a test leaves that is ended goes with the tree. */
  get #temporary(): string {
    return join(this.#directory, 'tmp');
  }

  /** Runs `act` while the mutation is made. Throws where it does not apply. */
  async with<T>(mutation: Mutation, act: () => Promise<T>): Promise<T> {
    const path = join(this.#directory, mutation.file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, mutate(text, mutation));
    try {
      return await act();
    } finally {
      writeFileSync(path, text);
    }
  }

  /** What the compiler has against a file. What a mutation leaves unused does not count. */
  async complaintsAbout(file: string): Promise<string[]> {
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const lenient = ['--noUnusedLocals', 'false', '--noUnusedParameters', 'false'];
    // What has not changed since it was last asked is not looked at again.
    const memory = ['--incremental', '--tsBuildInfoFile', join(this.#directory, 'tsc.memory')];
    const flags = ['--noEmit', '--project', '.', ...lenient, ...memory];
    const { promise, resolve } = Promise.withResolvers<string>();
    // It fails where it has complaints, and those are what it was asked for.
    execFile(process.execPath, [compiler, ...flags], { cwd: this.#directory }, (_, stdout) =>
      resolve(stdout),
    );
    return (await promise).split('\n').filter((line) => line.startsWith(`${file}(`));
  }

  /** Runs a test file until its first failure. */
  async test(file: string): Promise<Outcome> {
    const stop = new AbortController();
    const events = run({
      files: [join(this.#directory, file)],
      cwd: this.#directory,
      env: { ...process.env, TMPDIR: this.#temporary, TEMP: this.#temporary },
      timeout: timeLimitMs,
      signal: stop.signal,
    });
    let outcome: Outcome = { kind: 'green' };
    let count = 0;
    const note = (name: string, error: unknown) => {
      if (outcome.kind !== 'green') return;
      const isFile = name === file || name.endsWith(`/${file}`);
      // Without a test that ran, it is the file itself that does not load.
      if (isFile && count === 0) outcome = { kind: 'broken', reason: `${file}: ${error}` };
      else outcome = { kind: 'red', title: isFile ? 'the file as a whole' : name };
      stop.abort();
    };
    for await (const { type, data } of events) {
      if (type === 'test:pass') count += 1;
      if (type === 'test:fail') note(data.name, data.details.error);
    }
    return outcome;
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
