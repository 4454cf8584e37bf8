import { SimulatedClock } from '../../lib/clock.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import type { BlobDamage, BlobSpecimen, SampleBlob } from '../blob-specimen.ts';
import type { CompactionSpecimen } from '../compaction.contract.ts';
import { MemoryBlobStore } from './memory-blob-store.ts';
import { PackedMemoryBlobStore } from './packed-memory-blob-store.ts';

export async function openMemorySpecimen(): Promise<BlobSpecimen> {
  const clock = new SimulatedClock();
  const store = new MemoryBlobStore({ clock, randomBytes: systemRandomBytes });
  return { store, clock, ...abilitiesOf(store) };
}

export async function openPackedMemorySpecimen(): Promise<CompactionSpecimen> {
  const clock = new SimulatedClock();
  const store = new PackedMemoryBlobStore({ clock, randomBytes: systemRandomBytes });
  const reopen = async () => store.seal();
  return { store, compaction: store, clock, reopen, ...abilitiesOf(store) };
}

function abilitiesOf(store: MemoryBlobStore) {
  return {
    setRoom: (bytes: number) => {
      store.capacityBytes = store.usedBytes + bytes;
    },
    damages: async ({ id, sizeBytes, labelSizeBytes }: SampleBlob): Promise<BlobDamage[]> => [
      ...[0, sizeBytes >> 1, sizeBytes - 1].map((offset) => ({
        what: `byte ${offset}`,
        apply: async () => {
          store.damage(id, offset);
          return async () => store.damage(id, offset);
        },
      })),
      ...[0, labelSizeBytes - 1].map((offset) => ({
        what: `byte ${offset} of the label`,
        strikes: 'label' as const,
        apply: async () => {
          store.damageLabel(id, offset);
          return async () => store.damageLabel(id, offset);
        },
      })),
    ],
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
