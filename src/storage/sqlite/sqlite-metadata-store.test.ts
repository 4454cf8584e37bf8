import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { metadataStoreContract } from '../metadata-store.contract.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';
import { openSqliteSpecimen } from './sqlite-specimen.ts';

metadataStoreContract('SqliteMetadataStore', { open: () => openSqliteSpecimen('database') });

metadataStoreContract('SqliteMetadataStore whose database is lost in every crash', {
  open: () => openSqliteSpecimen('nothing'),
});

const noProcess = 'memory does not outlive its process';
const noSync = 'memory is not synced';

metadataStoreContract('SqliteMetadataStore in memory', {
  open: async () => {
    const clock = new SimulatedClock();
    const store = await SqliteMetadataStore.open({
      path: ':memory:',
      clock,
      log: silentLog,
      journal: new MemoryJournal(),
    });
    return { store, clock, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  },
  except: {
    'rows outlive a store that was closed': noProcess,
    'an acknowledged write outlives a crash': noProcess,
    'a crash before the sync takes a write back whole, and nobody had seen it': noProcess,
    'what is set on a vault outlives a crash, byte for byte': noProcess,
    'retrieval policies and charges outlive a crash': noProcess,
    'a write resolves only once its sync is over': noSync,
    'reads and previews see what is durable, and wait for no sync': noSync,
    'what a write throws is told only once that which it saw is durable': noSync,
    'concurrent writes share a sync': noSync,
    'after a failed sync every write is refused, reads go on, and opening again helps': noSync,
    'a full store refuses with StoreFull, keeps what it has, and goes on when there is room':
      'a store in memory cannot be opened again with less room',
  },
});
