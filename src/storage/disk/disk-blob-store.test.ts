import { blobStoreContract } from '../blob-store.contract.ts';
import { compactionContract } from '../compaction.contract.ts';
import { DiskSpecimen } from './disk-specimen.ts';

blobStoreContract('DiskBlobStore on simulated files', { open: () => DiskSpecimen.simulated() });

blobStoreContract('DiskBlobStore in a directory', { open: () => DiskSpecimen.real() });

compactionContract('DiskBlobStore, compacted, on simulated files', {
  open: () => DiskSpecimen.simulated(),
});

compactionContract('DiskBlobStore, compacted, in a directory', {
  open: () => DiskSpecimen.real(),
});
