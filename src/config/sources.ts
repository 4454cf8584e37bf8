import { parseConfigFile } from './config-file.ts';
import { nearest } from './nearest.ts';
import { type SettingName, settingNames, settingOf } from './settings.ts';
import { BadValue } from './values.ts';

/** Where the settings come from: values, so that reading them needs no process. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By the flag's name without its dashes: `{ 'data-dir': '/srv/firn' }`. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
  /** What relative paths are relative to; the working directory of the process if left out. */
  readonly directory?: string;
}

/** What was said about one setting, and where. */
export interface Given {
  readonly text: string;
  /** `--listen`, `FIRN_LISTEN` or `FIRN_LISTEN in firn.conf`. */
  readonly origin: string;
}

/** Everything that was said: flags win over the environment, the environment over the file. */
export interface Collected {
  readonly given: ReadonlyMap<SettingName, Given>;
  readonly problems: readonly string[];
}

const byVariable = new Map(settingNames.map((name) => [settingOf(name).variable as string, name]));
const byFlag = new Map(settingNames.map((name) => [settingOf(name).flag, name]));

/**
 * Kubernetes gives every container variables about each service beside it, which for a service of
 * the name `firn` begin like ours.
 */
const kubernetesPattern =
  /^FIRN_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_[A-Z]+_[A-Z]+)=|^FIRN_PORT\w*=[a-z]+:\/\//;

export function collect(sources: ConfigSources): Collected {
  const given = new Map<SettingName, Given>();
  const problems: string[] = [];
  const said = [...fromFlags(sources.flags, problems), ...fromEnvironment(sources.env, problems)];
  const file = said.find(([name]) => name === 'configFile')?.[1];
  if (file !== undefined) said.push(...fromFile(file, sources.readFile, problems));
  for (const [name, value] of said) if (!given.has(name)) given.set(name, value);
  return { given, problems };
}

type Said = [SettingName, Given];

function fromFlags(flags: ConfigSources['flags'], problems: string[]): Said[] {
  const said: Said[] = [];
  for (const [flag, text] of Object.entries(flags)) {
    if (text === undefined) continue;
    const name = byFlag.get(flag);
    if (name === undefined) problems.push(unknown('flag', flag, byFlag, '--'));
    else said.push([name, { text, origin: `--${flag}` }]);
  }
  return said;
}

function fromEnvironment(env: ConfigSources['env'], problems: string[]): Said[] {
  const said: Said[] = [];
  for (const [variable, text] of Object.entries(env)) {
    // An empty variable is how compose files and shells say that there is none.
    if (!variable.startsWith('FIRN_') || text === undefined || text === '') continue;
    const name = byVariable.get(variable);
    if (name !== undefined) said.push([name, { text, origin: variable }]);
    else if (!kubernetesPattern.test(`${variable}=${text}`)) {
      problems.push(unknown('variable', variable, byVariable));
    }
  }
  return said;
}

function fromFile(file: Given, readFile: ConfigSources['readFile'], problems: string[]): Said[] {
  const said: Said[] = [];
  for (const [variable, text] of readSettings(file, readFile, problems)) {
    const name = byVariable.get(variable);
    const origin = `${variable} in ${file.text}`;
    if (name === 'configFile') problems.push(`${origin}: a file cannot name another one`);
    else if (name !== undefined) said.push([name, { text, origin }]);
    else problems.push(`${file.text}: ${unknown('setting', variable, byVariable)}`);
  }
  return said;
}

function readSettings(
  file: Given,
  readFile: ConfigSources['readFile'],
  problems: string[],
): ReadonlyMap<string, string> {
  try {
    return parseConfigFile(readFile(file.text));
  } catch (error) {
    const reason = error instanceof BadValue ? error.message : `cannot be read: ${reasonOf(error)}`;
    problems.push(`${file.origin}: the file ${JSON.stringify(file.text)} ${reason}`);
    return new Map();
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unknown(
  kind: string,
  word: string,
  known: ReadonlyMap<string, unknown>,
  prefix = '',
): string {
  const guess = nearest(word, [...known.keys()]);
  const hint = guess === undefined ? '' : `; did you mean ${prefix}${guess}?`;
  return `${prefix}${word}: there is no such ${kind}${hint}`;
}
