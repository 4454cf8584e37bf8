import assert from 'node:assert/strict';
import test from 'node:test';
import { isForTests, sourceFiles, withoutComments } from './source-files.ts';

interface WordRule {
  readonly sentence: string;
  readonly word: RegExp;
  /** Where it may stand, by path in `src/`. */
  readonly allowed?: RegExp;
}

const rules: readonly WordRule[] = [
  {
    sentence: 'the time, timers and randomness come in as values: only `lib` asks the machine',
    word: /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandomUUID\b|\bgetRandomValues\b|\bset(?:Timeout|Interval)\b|\bprocess\.hrtime\b|\bperformance\.now\b/,
    allowed: /^lib\//,
  },
  {
    sentence: 'the environment is read by `config` alone',
    word: /\bprocess\.env\b/,
    allowed: /^config\//,
  },
  {
    sentence: 'files are touched by the stores on disk and by what meets the operator, nobody else',
    word: /['"](?:node:)?fs(?:\/promises)?['"]/,
    allowed:
      /^(?:storage\/(?:disk|sqlite)\/|config\/|cli\/|lib\/node\/|client\/node\.ts$|http\/console\.ts$)/,
  },
  {
    sentence: 'only the command line writes to the console',
    word: /\bconsole\./,
    allowed: /^cli\//,
  },
  { sentence: 'nothing is exported by default', word: /\bexport default\b/ },
];

const code = sourceFiles('src').map(({ path, text }) => ({ path, text: withoutComments(text) }));

for (const { sentence, word, allowed } of rules) {
  test(sentence, () => {
    const found = code
      .filter(({ path }) => !isForTests(path) && allowed?.test(path) !== true)
      .flatMap(({ path, text }) => linesWith(word, text).map((line) => `src/${path}:${line}`));
    assert.deepEqual(found, []);
  });
}

test('what is left to do has the number of an issue', () => {
  // Put together, so that this file does not find itself.
  const word = new RegExp(`\\b${'FIX'}ME\\b|\\b${'TO'}DO\\b(?!\\(#\\d+\\))`);
  const found = ['src', 'tests', 'docs', 'bench', 'bin'].flatMap((folder) =>
    sourceFiles(folder, '**/*.{ts,js,md}').flatMap(({ path, text }) =>
      linesWith(word, text).map((line) => `${folder}/${path}:${line}`),
    ),
  );
  assert.deepEqual(found, []);
});

function linesWith(word: RegExp, text: string): number[] {
  return text.split('\n').flatMap((line, index) => (word.test(line) ? [index + 1] : []));
}
