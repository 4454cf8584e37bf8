import * as sdk from '@aws-sdk/client-glacier';

/** What AWS publishes about one operation. */
export interface PublishedOperation {
  /** `PUT /{accountId}/vaults/{vaultName} 201` */
  readonly http: string;
  readonly input: PublishedMembers;
  readonly output: PublishedMembers;
}

export type PublishedMembers = Readonly<Record<string, PublishedMember>>;

export interface PublishedMember {
  /** Where it travels, and under which name: `header x-amz-job-id`. */
  readonly at: string;
  readonly type: PublishedType;
}

export type PublishedType =
  | string
  | { readonly structure: PublishedMembers }
  | { readonly list: PublishedType }
  | { readonly map: PublishedType };

/**
 * The API as the AWS SDK describes it to itself. Its schemas are tuples: an operation is
 * `[9, namespace, name, traits, input, output]`, a structure is
 * `[3, namespace, name, traits, names of members, their schemas]`, a list is
 * `[1, namespace, name, traits, schema of its items]`; simple types are numbers, to which 64 is
 * added for a list of such and 128 for a map from text to such. A reference is a
 * schema, a function that gives one, or a pair of either and the member's traits.
 */
export function publishedOperations(): ReadonlyMap<string, PublishedOperation> {
  const published = new Map<string, PublishedOperation>();
  for (const schema of Object.values<unknown>(sdk)) {
    if (!Array.isArray(schema) || schema[0] !== kinds.operation) continue;
    const [, , name, traits, input, output]: readonly unknown[] = schema;
    const { http } = traits as { readonly http: readonly [string, string, number] };
    published.set(String(name), {
      http: http.join(' '),
      input: membersOf(resolve(input)),
      output: membersOf(resolve(output)),
    });
  }
  return published;
}

const kinds = { list: 1, structure: 3, operation: 9 } as const;
const simpleTypes: Readonly<Record<number, string>> = {
  0: 'string',
  1: 'integer',
  2: 'boolean',
};

/** Traits without values come as the sum of these bits. */
const traitBits = { label: 1, payload: 16, responseCode: 32 } as const;

function resolve(reference: unknown): unknown {
  return typeof reference === 'function' ? resolve(reference()) : reference;
}

/** The members of a structure; those of a document that is the body itself stand in its place. */
function membersOf(schema: unknown): PublishedMembers {
  if (!Array.isArray(schema) || schema[0] !== kinds.structure) return {};
  const [, , , , names, references]: readonly unknown[] = schema;
  const members: Record<string, PublishedMember> = {};
  for (const [index, name] of (names as readonly string[]).entries()) {
    const { type, traits } = split((references as readonly unknown[])[index]);
    const isPayload = hasBit(traits, traitBits.payload);
    if (isPayload && isStructure(type)) Object.assign(members, membersOf(type));
    else members[memberName(name)] = { at: placeOf(name, traits), type: typeOf(type, isPayload) };
  }
  return members;
}

function split(reference: unknown): { readonly type: unknown; readonly traits: unknown } {
  if (Array.isArray(reference) && reference.length === 2) {
    return { type: resolve(reference[0]), traits: reference[1] };
  }
  return { type: resolve(reference), traits: 0 };
}

function placeOf(name: string, traits: unknown): string {
  if (typeof traits === 'object' && traits !== null) {
    if ('httpHeader' in traits) return `header ${String(traits.httpHeader).toLowerCase()}`;
    if ('httpQuery' in traits) return `query ${String(traits.httpQuery)}`;
  }
  if (hasBit(traits, traitBits.label)) return `path ${name}`;
  if (hasBit(traits, traitBits.responseCode)) return `status ${name}`;
  return `${hasBit(traits, traitBits.payload) ? 'stream' : 'body'} ${name}`;
}

function typeOf(type: unknown, isPayload: boolean): PublishedType {
  if (isPayload) return 'stream';
  if (typeof type === 'number') return simpleType(type);
  if (isStructure(type)) return { structure: membersOf(type) };
  if (Array.isArray(type) && type[0] === kinds.list) {
    return { list: typeOf(resolve(type[4]), false) };
  }
  return 'unknown';
}

function simpleType(type: number): PublishedType {
  if (type >= 128) return { map: simpleType(type - 128) };
  if (type >= 64) return { list: simpleType(type - 64) };
  return simpleTypes[type] ?? `type ${type}`;
}

function isStructure(type: unknown): boolean {
  return Array.isArray(type) && type[0] === kinds.structure;
}

function hasBit(traits: unknown, bit: number): boolean {
  return typeof traits === 'number' && (traits & bit) !== 0;
}

/** Names in our code begin with a small letter: `VaultName` is `vaultName`. */
function memberName(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
