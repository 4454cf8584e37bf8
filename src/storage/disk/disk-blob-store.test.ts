import { blobStoreContract } from '../blob-store.contract.ts';
import { DiskSpecimen } from './disk-specimen.ts';

blobStoreContract('DiskBlobStore on simulated files', { open: () => DiskSpecimen.simulated() });

blobStoreContract('DiskBlobStore in a directory', { open: () => DiskSpecimen.real() });
