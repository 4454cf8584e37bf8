import { SimulatedClock } from '../../lib/clock.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { blobStoreContract } from '../blob-store.contract.ts';
import { MemoryBlobStore } from './memory-blob-store.ts';

const forgetful = 'memory does not outlive its process';
const unsynced = 'memory is never synced';

blobStoreContract('MemoryBlobStore', {
  open: async () => {
    const clock = new SimulatedClock();
    const store = new MemoryBlobStore({ clock, randomBytes: systemRandomBytes });
    return {
      store,
      clock,
      setRoom: (bytes) => {
        store.capacityBytes = store.usedBytes + bytes;
      },
      damages: async (id, sizeBytes) =>
        [0, sizeBytes >> 1, sizeBytes - 1].map((offsetBytes) => ({
          what: `byte ${offsetBytes}`,
          apply: async () => {
            store.damage(id, offsetBytes);
            return async () => store.damage(id, offsetBytes);
          },
        })),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
  except: {
    'an acknowledged blob outlives a crash': forgetful,
    'an acknowledged removal outlives a crash': forgetful,
    'a crash leaves nothing of a write that was not acknowledged': forgetful,
    'blobs outlive a store that was closed': forgetful,
    'an id of before is not taken for a blob of today': forgetful,
    'a failed sync refuses writes until the store is opened again': unsynced,
    'a failed sync of a removal refuses writes until the store is opened again': unsynced,
  },
});
