import { parseArgs } from 'node:util';
import type { Mutation } from './mutation.ts';
import { mutations } from './mutations.ts';
import { TrialTree } from './trial-tree.ts';

const usage = `Usage: npm run mutate [-- --only NAME]...

Breaks the store on purpose, one mutation at a time, in a copy of the source tree, and runs the tests
that ought to notice. Prints which did, as a table. Fails when a mutation goes unnoticed, or does not
apply any more. --only takes the beginning of a name, and can be given several times.`;

/** What became of a mutation. */
interface Verdict {
  readonly mutation: Mutation;
  readonly isCaught: boolean;
  /** Who caught it, or why it counts as a failure. */
  readonly words: string;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) print(usage);
else process.exitCode = await mutateAll(chosen(values.only));

function chosen(names: readonly string[] = ['']): Mutation[] {
  return mutations.filter(({ name }) => names.some((start) => name.startsWith(start)));
}

/** Answers the exit code. */
async function mutateAll(these: readonly Mutation[]): Promise<number> {
  if (these.length === 0) return fail('There is no mutation of that name.');
  using tree = new TrialTree();
  const red = await redWithoutMutation(tree, these);
  if (red.length > 0) return fail(`Without any mutation these are red:\n${red.join('\n')}`);
  const verdicts: Verdict[] = [];
  for (const mutation of these) {
    const verdict = await judge(tree, mutation);
    verdicts.push(verdict);
    print(`${verdict.isCaught ? 'caught' : 'NOT CAUGHT'}: ${mutation.name}: ${verdict.words}`);
  }
  print(`\n${tableOf(verdicts)}`);
  const missed = verdicts.filter(({ isCaught }) => !isCaught);
  if (missed.length === 0) return 0;
  return fail(`${missed.length} of ${verdicts.length} mutations were not caught.`);
}

/** A test that is red anyway would catch everything. */
async function redWithoutMutation(tree: TrialTree, these: readonly Mutation[]): Promise<string[]> {
  const red: string[] = [];
  for (const file of new Set(these.flatMap(({ tests }) => tests))) {
    const outcome = await tree.test(file);
    print(`unmutated, ${outcome.kind}: ${file}`);
    if (outcome.kind === 'red') red.push(`${file}: ${outcome.title}`);
    if (outcome.kind === 'broken') red.push(outcome.reason);
  }
  return red;
}

async function judge(tree: TrialTree, mutation: Mutation): Promise<Verdict> {
  try {
    return await tree.with(mutation, () => judgeMutated(tree, mutation));
  } catch (error) {
    return {
      mutation,
      isCaught: false,
      words: error instanceof Error ? error.message : `${error}`,
    };
  }
}

async function judgeMutated(tree: TrialTree, mutation: Mutation): Promise<Verdict> {
  const [[complaint], verdict] = await Promise.all([
    tree.complaintsAbout(mutation.file),
    runTests(tree, mutation),
  ]);
  return complaint === undefined ? verdict : { mutation, isCaught: false, words: complaint };
}

async function runTests(tree: TrialTree, mutation: Mutation): Promise<Verdict> {
  for (const file of mutation.tests) {
    const outcome = await tree.test(file);
    if (outcome.kind === 'broken') return { mutation, isCaught: false, words: outcome.reason };
    if (outcome.kind === 'red') {
      return { mutation, isCaught: true, words: `\`${file}\`: ${outcome.title}` };
    }
  }
  return { mutation, isCaught: false, words: `It survives ${mutation.tests.join(', ')}` };
}

function tableOf(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ mutation: { name, breaks, file }, words }) =>
    [`\`${name}\` in \`${file}\``, breaks, words].map(cell).join(' | '),
  );
  const head = ['Mutation | What then goes wrong | Caught by', '--- | --- | ---'];
  return [...head, ...rows].map((row) => `| ${row} |`).join('\n');
}

/** On one line, and with no border of its own. */
function cell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}

function fail(sentence: string): number {
  print(sentence);
  return 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
