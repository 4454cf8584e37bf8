import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { metadataStoreContract } from '../metadata-store.contract.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';
import { openSqliteSpecimen } from './sqlite-specimen.ts';

metadataStoreContract('SqliteMetadataStore', { open: openSqliteSpecimen });

const noProcess = 'memory does not outlive its process';
const noSync = 'memory is not synced';

metadataStoreContract('SqliteMetadataStore in memory', {
  open: async () => {
    const clock = new SimulatedClock();
    const store = await SqliteMetadataStore.open({ path: ':memory:', clock, log: silentLog });
    return { store, clock, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  },
  except: {
    'rows outlive a store that was closed': noProcess,
    'an acknowledged write outlives a crash': noProcess,
    'a crash before the sync takes a write back whole, and nobody had seen it': noProcess,
    'a write resolves only once its sync is over': noSync,
    'a read waits for the sync of what it saw, and for no other': noSync,
    'a preview answers without a sync, and refuses only after one': noSync,
    'concurrent writes share a sync': noSync,
    'after a failed sync every write is refused, reads go on, and opening again helps': noSync,
    'a full store refuses with StoreFull, keeps what it has, and goes on when there is room':
      'a store in memory cannot be opened again with less room',
  },
});
