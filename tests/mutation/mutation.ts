/** A change of the source that breaks a promise of the store, and that the tests must not survive. */
export interface Mutation {
  /** In kebab-case: what is left out, reversed or not looked at. */
  readonly name: string;
  /** What then goes wrong, as a sentence. */
  readonly breaks: string;
  /** Where, from the root of the repository. */
  readonly file: string;
  readonly edits: readonly Edit[];
  /** The test files that ought to go red, cheapest first. One is enough. */
  readonly tests: readonly string[];
}

export interface Edit {
  /** Text that stands exactly once in the file. */
  readonly find: string;
  /** What takes its place. It compiles: what goes red shall go red for what it does. */
  readonly replace: string;
}

/** The file's text with the mutation in it. Throws where the source is not what the table says. */
export function mutate(text: string, { name, file, edits }: Mutation): string {
  let mutated = text;
  for (const { find, replace } of edits) {
    const count = text.split(find).length - 1;
    if (count !== 1) {
      throw new Error(
        `The mutation ${name} does not apply: its text stands ${count} times in ${file}, and not ` +
          `once. Write it anew, as the source is now:\n${find}`,
      );
    }
    // A function, since a text would have its dollar signs interpreted.
    mutated = mutated.replace(find, () => replace);
  }
  return mutated;
}
