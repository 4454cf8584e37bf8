import { BadValue } from './values.ts';

/**
 * The settings in a configuration file, by their variables' names: a JSON object, or lines of
 * `NAME=value`, where a line that begins with `#` is a comment and quotes around a value are taken
 * off. A comment can't follow a value.
 */
export function parseConfigFile(text: string): ReadonlyMap<string, string> {
  return text.trimStart().startsWith('{') ? parseJson(text) : parseLines(text);
}

function parseJson(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(jsonObject(text))) {
    if (typeof value === 'string' || typeof value === 'number') values.set(name, String(value));
    else if (typeof value === 'boolean') values.set(name, value ? 'yes' : 'no');
    else throw new BadValue(`gives ${name} a value that is not a text, a number, true or false`);
  }
  return values;
}

function jsonObject(text: string): object {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === 'object' && document !== null) return document;
  } catch {
    // Its message quotes the file, which may hold secrets.
  }
  throw new BadValue('is not valid JSON although it begins with {');
}

function parseLines(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const match = /^\s*([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line);
    const [, name, value] = match ?? [];
    if (name === undefined || value === undefined) {
      throw new BadValue(`has a line ${index + 1} that is not NAME=value`);
    }
    if (values.has(name)) throw new BadValue(`sets ${name} twice`);
    const quoted = /^(["'])(.*)\1$/.exec(value)?.[2];
    if (quoted === undefined && /\s#/.test(value)) {
      throw new BadValue(`has a comment behind the value of ${name}: put it on a line of its own`);
    }
    values.set(name, quoted ?? value);
  }
  return values;
}
