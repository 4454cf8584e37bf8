import { compactionContract } from '../compaction.contract.ts';
import { openPackedMemorySpecimen } from './memory-specimen.ts';

compactionContract('PackedMemoryBlobStore', {
  open: openPackedMemorySpecimen,
  except: {
    'what was retired is gone and its copies live, whatever crashes':
      'memory does not outlive its process',
  },
});
