import { AssertionFailed } from '../lib/assert.ts';
import { type SettingName, settingOf } from './settings.ts';
import { type Collected, type Given, reasonOf } from './sources.ts';
import { BadValue } from './values.ts';

/** Turns texts into values, and goes on after a bad one so that all problems are seen at once. */
export class Reading {
  readonly #given: ReadonlyMap<SettingName, Given>;
  readonly #problems: string[];

  constructor({ given, problems }: Collected) {
    this.#given = given;
    this.#problems = [...problems];
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  isGiven(name: SettingName): boolean {
    return this.#given.has(name);
  }

  /** What was said, or the default. */
  textOf(name: SettingName): string | null {
    return this.#given.get(name)?.text ?? settingOf(name).default;
  }

  /** The value of a setting that has a default, which also stands in for a bad value. */
  value<T>(name: SettingName, parse: (text: string) => T): T {
    const parsed = this.optional(name, parse);
    if (parsed !== null) return parsed;
    const { default: text, variable } = settingOf(name);
    if (text === null) throw new AssertionFailed(`${variable} has no default`);
    return parse(text);
  }

  /** The value of a setting, or null when it was not given, or when a problem was noted. */
  optional<T>(name: SettingName, parse: (text: string) => T): T | null {
    const given = this.#given.get(name);
    if (given === undefined) return null;
    try {
      return parse(given.text);
    } catch (error) {
      const isFile = settingOf(name).type === 'file';
      if (!isFile && !(error instanceof BadValue)) throw error;
      this.refuse(name, isFile ? `cannot be used: ${reasonOf(error)}` : reasonOf(error));
      return null;
    }
  }

  /** Whether both were given; notes a problem when only one was. */
  bothOrNeither(first: SettingName, second: SettingName): boolean {
    if (this.isGiven(first) === this.isGiven(second)) return this.isGiven(first);
    const [there, absent] = this.isGiven(first) ? [first, second] : [second, first];
    const origin = this.#given.get(there)?.origin ?? '';
    this.#problems.push(
      `${origin}: it needs ${settingOf(absent).variable} beside it; set both or neither`,
    );
    return false;
  }

  /** Notes what is wrong with a setting's value. */
  refuse(name: SettingName, why: string): void {
    const { secret, type, variable } = settingOf(name);
    const given = this.#given.get(name);
    const isHidden = secret === true || type === 'URL';
    const shown = given === undefined || isHidden ? 'the value' : JSON.stringify(given.text);
    this.#problems.push(`${given?.origin ?? variable}: ${shown} ${why}`);
  }
}
