/**
 * What a value of the API is. `stream` is a body of bytes; `integer` may also come as decimal text
 * where it travels in a header or in a query; `long` is an integer of 64 bits, exact. A `map` is an
 * object whose names are its keys.
 */
export type Type =
  | 'string'
  | 'integer'
  | 'long'
  | 'boolean'
  | 'stream'
  | { readonly structure: Members }
  | { readonly list: Type }
  | { readonly map: 'string' };

/** Where a value travels. `body` is a member of the JSON document; `stream` is the body itself. */
export type Place = 'path' | 'query' | 'header' | 'body' | 'stream' | 'status';

/**
 * `hex`: bytes, each as two hexadecimal digits. `printable`: 0x20–0x7E; in a header, a setting may
 * allow any UTF-8 text in its place. `content-range`: `bytes <first>-<last>/<size>`, where the size
 * may be `*`.
 */
export type Form = 'hex' | 'printable' | 'content-range';

/** One member of an operation's input or output. */
export interface Member {
  readonly in: Place;
  /** Its name on the wire: header names in lower case. */
  readonly name: string;
  readonly type: Type;
  readonly required?: true;
  /** The name that the error for its absence gives, where that is not its name on the wire. */
  readonly missingName?: string;
  /** What its text is made of. */
  readonly form?: Form;
  /** How many bytes its text may have. */
  readonly bytesMax?: number;
  /** Set where a text may also come as a number of the JSON document. */
  readonly orNumber?: true;
  /** Set where an empty text or list of the JSON document counts as none. */
  readonly emptyIsAbsent?: true;
  /** Set where an empty header is an empty text; of others, it counts as none. */
  readonly emptyIsText?: true;
  /** The content range before it in the shape that has as many bytes as this integer says. */
  readonly lengthOf?: string;
  /** The only values it may have. */
  readonly oneOf?: readonly string[];
  /** The least value of an integer or a long. */
  readonly min?: number;
  /** The greatest value of an integer or a long. */
  readonly max?: number | bigint;
  /** Set where a document leaves the member out when it has no value, instead of sending `null`. */
  readonly omittedWhenNull?: true;
  /** The text of the error for a bad value; `{value}` stands for the value. */
  readonly invalid?: string;
  /** Set where the AWS SDK's model does not have the member although the service does. */
  readonly unmodelled?: true;
}

export type Members = Readonly<Record<string, Member>>;

/** Input and output of one operation. */
export interface Shape {
  readonly input: Members;
  /** What the error says is missing when there is no document at all; unless set, none is `{}`. */
  readonly missingDocument?: string;
  readonly output: Members;
}

/** Bytes that go out as a reply's body. */
export interface OutgoingBytes {
  readonly sizeBytes: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

type InputValue<T extends Type> = T extends 'string'
  ? string
  : T extends 'integer'
    ? number
    : T extends 'long'
      ? bigint
      : T extends 'boolean'
        ? boolean
        : T extends 'stream'
          ? AsyncIterable<Uint8Array>
          : T extends { readonly structure: infer M extends Members }
            ? InputOf<M>
            : T extends { readonly list: infer U extends Type }
              ? readonly InputValue<U>[]
              : T extends { readonly map: 'string' }
                ? ReadonlyMap<string, string>
                : never;

type RequiredKeys<M extends Members> = {
  [K in keyof M]: M[K] extends { readonly required: true } ? K : never;
}[keyof M];

/** The type of a checked input: required members are there, others may be undefined. */
export type InputOf<M extends Members> = {
  readonly [K in RequiredKeys<M>]: InputValue<M[K]['type']>;
} & {
  readonly [K in Exclude<keyof M, RequiredKeys<M>>]?: InputValue<M[K]['type']> | undefined;
};

type OutputValue<T extends Type> = T extends 'stream'
  ? OutgoingBytes
  : T extends { readonly structure: infer M extends Members }
    ? OutputOf<M>
    : T extends { readonly list: infer U extends Type }
      ? readonly OutputValue<U>[]
      : InputValue<T>;

/**
 * The type of an output. A member that is not required may be null: a header is then left out, a
 * body member is sent as `null`.
 */
export type OutputOf<M extends Members> = {
  readonly [K in keyof M]: M[K] extends { readonly required: true }
    ? OutputValue<M[K]['type']>
    : OutputValue<M[K]['type']> | null;
};
