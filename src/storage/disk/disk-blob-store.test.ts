import { blobStoreContract } from '../blob-store.contract.ts';
import { compactionContract } from '../compaction.contract.ts';
import { DiskSpecimen } from './disk-specimen.ts';

blobStoreContract('DiskBlobStore on simulated files', { open: () => DiskSpecimen.simulated() });

// Some records fit into what is filled ahead, and most do not.
blobStoreContract('DiskBlobStore on simulated files, filled ahead', {
  open: () => DiskSpecimen.simulated(undefined, { segmentAheadBytes: 4096 }),
});

blobStoreContract('DiskBlobStore in a directory', { open: () => DiskSpecimen.real() });

compactionContract('DiskBlobStore, compacted, on simulated files', {
  open: () => DiskSpecimen.simulated(),
});

compactionContract('DiskBlobStore, compacted, in a directory', {
  open: () => DiskSpecimen.real(),
});
