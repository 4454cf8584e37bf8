import type { MetadataStore } from './metadata-store.ts';

/**
 * A fact about rows of which some may be lost, until the blobs were asked for those.
 *
 * - `unfinished`: some were lost in a repair, which did not come to its end.
 * - `advised`: the journal was lost, and nobody knows whether the database had all of it; or the
 *   database was made again, and nobody knows whether the journal had all of it.
 */
export const repairFact = {
  name: 'repair.state',
  unfinished: 'unfinished',
  advised: 'advised',
  finished: 'finished',
} as const;

type Readable = Pick<MetadataStore, 'read'>;

/** Whether rows are known to be lost, so that a sweeper would take their blobs for garbage. */
export async function isRepairUnfinished(metadata: Readable): Promise<boolean> {
  return (await repairState(metadata)) === repairFact.unfinished;
}

/** Whether a repair has to look for archives that no row names. */
export async function isSalvageDue(metadata: Readable): Promise<boolean> {
  return hasRepairDoubt(await repairState(metadata));
}

/** Whether a fact of this value tells of rows that are, or may be, lost. */
export function hasRepairDoubt(state: string | undefined): boolean {
  return state === repairFact.unfinished || state === repairFact.advised;
}

export async function noteRepairFinished(metadata: Pick<MetadataStore, 'write'>): Promise<void> {
  await metadata.write(({ facts }) => facts.set(repairFact.name, repairFact.finished));
}

function repairState(metadata: Readable): Promise<string | undefined> {
  return metadata.read(({ facts }) => facts.get(repairFact.name));
}
