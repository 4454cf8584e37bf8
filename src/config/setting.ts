/** How the value of a setting is written. */
export type SettingType =
  | 'account id'
  | 'address'
  | 'choice'
  | 'directory'
  | 'duration'
  | 'file'
  | 'list'
  | 'size'
  | 'text'
  | 'URL'
  | 'whole number'
  | 'whole number, or `accept`'
  | 'yes or no';

/** What the table says about one setting. */
export interface Setting {
  /** Its environment variable, and its name in a configuration file. */
  readonly variable: `FIRN_${string}`;
  /** Its flag of `firn serve`, without the two dashes. */
  readonly flag: string;
  readonly type: SettingType;
  /** The values of a choice. */
  readonly oneOf?: readonly string[];
  /** What holds when nothing is said: a value, or null where `unset` says it in words. */
  readonly default: string | null;
  /** What happens without a value, for settings that have no default value. */
  readonly unset?: string;
  /** One sentence. */
  readonly summary: string;
  /** Its value is never shown. */
  readonly secret?: true;
  /** It says where the store is: the commands that open the store take its flag too. */
  readonly store?: true;
}
