import type { Mutation } from './mutation.ts';

const disk = 'src/storage/disk';

/** Each sync left out: what the store then only believes to be on the disk. */
export const syncMutations: readonly Mutation[] = [
  {
    name: 'segment-batch-not-synced',
    breaks: 'A small archive is acknowledged while its bytes are in memory only.',
    file: `${disk}/segment-writer.ts`,
    edits: [
      {
        find: `
      await gate.sync(() => file.sync());
    } catch (error) {
      // Not needed for safety`,
        replace: `
      await gate.sync(async () => {});
    } catch (error) {
      // Not needed for safety`,
      },
    ],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'segment-name-not-synced',
    breaks: 'A power cut takes a new segment back, with all the archives in it.',
    file: `${disk}/segment-writer.ts`,
    edits: [
      {
        find: 'await gate.sync(() => files.syncDirectory(layout.segments));',
        replace: '',
      },
    ],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'large-file-not-synced',
    breaks: 'A large archive has its name on the disk, and not its bytes.',
    file: `${disk}/large-writer.ts`,
    edits: [{ find: 'await gate.sync(() => file.sync());', replace: '' }],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'large-name-not-synced',
    breaks: 'A power cut takes the name of a large archive back.',
    file: `${disk}/large-writer.ts`,
    edits: [{ find: 'await plan.directorySync.request();', replace: '' }],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'large-removal-not-synced',
    breaks: 'A large archive whose removal was acknowledged comes back.',
    file: `${disk}/disk-blob-store.ts`,
    edits: [{ find: 'await this.#largeSync.request();', replace: '' }],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'removal-mark-not-synced',
    breaks: 'A small archive whose removal was acknowledged comes back.',
    file: `${disk}/segment-remover.ts`,
    edits: [{ find: 'if (isMarked) await gate.sync(() => file.sync());', replace: '' }],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'unlinked-segment-not-synced',
    breaks: 'A segment that was given up without marks comes back, with what was retired from it.',
    file: `${disk}/segment-remover.ts`,
    edits: [
      {
        find: `await this.#unlink(segment);
    await this.#directorySync.request();
    return true;
  }

  /** Unlinks the segment, durably, unless it is appended to. */`,
        replace: `await this.#unlink(segment);
    return true;
  }

  /** Unlinks the segment, unless it is appended to. */`,
      },
    ],
    tests: [`${disk}/disk-blob-compaction.test.ts`],
  },
  {
    name: 'discarded-segment-not-synced',
    breaks: 'A segment that was given up although it is damaged comes back.',
    file: `${disk}/segment-remover.ts`,
    edits: [
      {
        find: `if (!this.#with.isSealed(segment)) return false;
    await this.#unlink(segment);
    await this.#directorySync.request();`,
        replace: `if (!this.#with.isSealed(segment)) return false;
    await this.#unlink(segment);`,
      },
    ],
    tests: [`${disk}/disk-blob-compaction.test.ts`],
  },
  {
    name: 'missing-segment-not-synced',
    breaks:
      'A removal is acknowledged because the segment is gone, and a power cut brings that back.',
    file: `${disk}/segment-remover.ts`,
    edits: [{ find: 'return await this.#directorySync.request();', replace: 'return;' }],
    tests: [`${disk}/segment-remover.test.ts`],
  },
  {
    name: 'journal-entry-not-synced',
    breaks: 'A row is acknowledged while its batch is in memory only.',
    file: `${disk}/journal-writer.ts`,
    edits: [
      {
        find: `await gate.sync(() => file.sync());
    current.endBytes = endBytes;`,
        replace: 'current.endBytes = endBytes;',
      },
    ],
    tests: [`${disk}/journal-crash.test.ts`],
  },
  {
    name: 'journal-headers-not-synced',
    breaks: 'A power cut leaves a batch in a file of the journal whose headers, and key, are lost.',
    file: `${disk}/journal-writer.ts`,
    edits: [
      {
        find: `await gate.sync(() => file.sync());
      await gate.sync(() => files.syncDirectory(layout.journal));`,
        replace: 'await gate.sync(() => files.syncDirectory(layout.journal));',
      },
    ],
    tests: [`${disk}/journal-crash.test.ts`],
  },
  {
    name: 'journal-name-not-synced',
    breaks: 'A power cut takes a new file of the journal back, with all the rows in it.',
    file: `${disk}/journal-writer.ts`,
    edits: [{ find: 'await gate.sync(() => files.syncDirectory(layout.journal));', replace: '' }],
    tests: [`${disk}/journal-crash.test.ts`],
  },
  {
    name: 'last-batch-not-made-durable',
    breaks: 'A start acts on a batch that a power cut takes back: what builds on it does not fit.',
    file: `${disk}/disk-journal.ts`,
    edits: [
      {
        find: 'await writeAgain(options.layout.journalFile(file.number), extent, options);',
        replace: '',
      },
    ],
    tests: [`${disk}/journal-crash.test.ts`],
  },
  {
    name: 'snapshot-name-not-synced',
    breaks: 'The journal is forgotten for a snapshot that a power cut takes back.',
    file: `${disk}/disk-snapshots.ts`,
    edits: [
      {
        find: 'gate.sync(() => files.syncDirectory(layout.snapshots)),',
        replace: 'gate.sync(async () => {}),',
      },
    ],
    tests: [`${disk}/disk-snapshots.test.ts`],
  },
  {
    name: 'directories-not-synced',
    breaks: 'A power cut takes the directories of a new store back, with all that is in them.',
    file: `${disk}/prepare-directories.ts`,
    edits: [
      {
        find: 'await syncDirectories(inside, (directory) => files.syncDirectory(directory));',
        replace: '',
      },
    ],
    tests: [`${disk}/prepare-directories.test.ts`],
  },
  {
    name: 'data-directory-not-synced',
    breaks: 'A power cut takes the whole data directory of a new server back.',
    file: `${disk}/create-directory.ts`,
    edits: [{ find: 'await syncDirectories(withThoseAbove(path), sync);', replace: '' }],
    tests: [`${disk}/create-directory.test.ts`],
  },
  {
    name: 'master-key-not-synced',
    breaks: 'All is encrypted under a key of which a power cut leaves an empty file.',
    file: `${disk}/master-key-file.ts`,
    edits: [
      {
        find: `'latin1'), 0);
      await file.sync();`,
        replace: `'latin1'), 0);`,
      },
    ],
    tests: [`${disk}/master-key-file.test.ts`],
  },
  {
    name: 'master-key-name-not-synced',
    breaks: 'All is encrypted under a key whose file a power cut takes back.',
    file: `${disk}/master-key-file.ts`,
    edits: [
      {
        find: `// Before anything is encrypted under a key that a crash could take back.
    await files.syncDirectory(dirname(path));`,
        replace: '',
      },
    ],
    tests: [`${disk}/master-key-file.test.ts`],
  },
  {
    name: 'found-master-key-not-made-durable',
    breaks: 'A start encrypts under a key that the one before it, which died, had not synced yet.',
    file: `${disk}/master-key-file.ts`,
    edits: [{ find: 'if (found.isOurs) await makeDurable(options);', replace: '' }],
    tests: [`${disk}/master-key-file.test.ts`],
  },
  {
    name: 'store-id-not-synced',
    breaks: 'A power cut leaves an empty store.id beside a database that names an id.',
    file: `${disk}/store-id.ts`,
    edits: [{ find: 'await file.sync();', replace: '' }],
    tests: [`${disk}/store-id.test.ts`],
  },
  {
    name: 'store-id-name-not-synced',
    breaks: 'The database names an id whose file a power cut takes back.',
    file: `${disk}/store-id.ts`,
    edits: [{ find: 'await files.syncDirectory(directory);', replace: '' }],
    tests: [`${disk}/store-id.test.ts`],
  },
  {
    name: 'rotated-header-not-synced',
    breaks: 'A rotation overwrites the second copy of a header while the first is not durable yet.',
    file: `${disk}/rotate-master-key-headers.ts`,
    edits: [{ find: 'await file.sync();', replace: '' }],
    tests: [`${disk}/rotate-master-key.test.ts`],
  },
  {
    name: 'rotation-synced-once',
    breaks: 'A power cut tears both copies of a header that a rotation was writing.',
    file: `${disk}/rotate-master-key-headers.ts`,
    edits: [
      {
        find: 'await file.sync();',
        replace: 'if (index !== other || isCurrent) await file.sync();',
      },
    ],
    tests: [`${disk}/rotate-master-key.test.ts`],
  },
  {
    name: 'rebuilt-database-not-synced',
    breaks: 'A database that was made again takes the place of the old one, and is lost.',
    file: 'src/storage/sqlite/rebuild.ts',
    edits: [{ find: 'await file.sync();', replace: '' }],
    tests: ['src/storage/sqlite/rebuild-durability.test.ts'],
  },
  {
    name: 'replaced-database-not-synced',
    breaks: 'A power cut leaves no database, and no mark that tells that it was being replaced.',
    file: 'src/storage/sqlite/rebuild.ts',
    edits: [{ find: 'await syncDirectory(dirname(path));', replace: '' }],
    tests: ['src/storage/sqlite/rebuild-durability.test.ts'],
  },
];
