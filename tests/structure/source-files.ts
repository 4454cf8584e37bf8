import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface SourceFile {
  /** Relative to the folder that was asked for, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** The files of a folder of the project, in order. */
export function sourceFiles(folder: string, pattern = '**/*.ts'): readonly SourceFile[] {
  const cwd = join(root, folder);
  return globSync(pattern, { cwd, exclude: (name) => name === 'node_modules' || name === 'dist' })
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(cwd, path), 'utf8') }));
}

/** Whether a file is there for tests only: those may reach further than the code they test. */
export function isForTests(path: string): boolean {
  return /\.(?:test|contract|fuzz|bench)\.ts$/.test(path);
}

/** What a file imports: paths in its folder, and the names of modules as they are written. */
export function importsOf({ path, text }: SourceFile): readonly string[] {
  const pattern = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;
  return [...withoutComments(text).matchAll(pattern)].map(([, target = '']) =>
    target.startsWith('.') ? posix.join(dirname(path), target) : target,
  );
}

/** The text without its comments, its lines where they were. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}
