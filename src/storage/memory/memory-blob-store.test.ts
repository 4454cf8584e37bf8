import { blobStoreContract } from '../blob-store.contract.ts';
import { openMemorySpecimen, openPackedMemorySpecimen } from './memory-specimen.ts';

const forgetful = 'memory does not outlive its process';
const unsynced = 'memory is never synced';

const except = {
  'an acknowledged blob outlives a crash': forgetful,
  'an acknowledged removal outlives a crash': forgetful,
  'a crash leaves nothing of a write that was not acknowledged': forgetful,
  'blobs outlive a store that was closed': forgetful,
  'an id of before is not taken for a blob of today': forgetful,
  'a failed sync refuses writes until the store is opened again': unsynced,
  'a failed sync of a removal refuses writes until the store is opened again': unsynced,
};

blobStoreContract('MemoryBlobStore', { open: openMemorySpecimen, except });

blobStoreContract('PackedMemoryBlobStore', { open: openPackedMemorySpecimen, except });
