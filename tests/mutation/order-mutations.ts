import type { Mutation } from './mutation.ts';

const disk = 'src/storage/disk';
const sqlite = 'src/storage/sqlite';

/** Each order of two steps reversed, of which the second relies on the first. */
export const orderMutations: readonly Mutation[] = [
  {
    name: 'renamed-before-synced',
    breaks: 'A power cut leaves a large archive with its name, and without its bytes.',
    file: `${disk}/large-writer.ts`,
    edits: [
      {
        find: 'await gate.sync(() => file.sync());',
        replace: `const early = plan.nameOf({ fileId, sizeBytes: content.sizeBytes });
      await files.rename(incoming, join(plan.directory, early));
      await plan.directorySync.request();
      await gate.sync(() => file.sync());`,
      },
      { find: 'await files.rename(incoming, join(plan.directory, name));', replace: '' },
    ],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'label-after-the-sync',
    breaks: 'A large archive is acknowledged, and its label and headers are in memory only.',
    file: `${disk}/large-writer.ts`,
    edits: [
      {
        find: 'await writeEnds({ file, key }, { ...content, label }, { ...identity, wrappedKey });',
        replace: `await parts.gate.sync(() => file.sync());
  await writeEnds({ file, key }, { ...content, label }, { ...identity, wrappedKey });`,
      },
      { find: 'await gate.sync(() => file.sync());', replace: '' },
    ],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'acknowledged-before-synced',
    breaks: 'Who uploads a small archive is answered before its bytes are durable.',
    file: `${disk}/segment-writer.ts`,
    edits: [
      {
        find: `await this.#with.room.spend(sizeBytes, () => this.#commit(segment, bytes), spending);
      for (const [index, { resolve }] of batch.entries()) resolve(defined(ids[index], 'an id'));`,
        replace: `for (const [index, { resolve }] of batch.entries()) resolve(defined(ids[index], 'an id'));
      await this.#with.room.spend(sizeBytes, () => this.#commit(segment, bytes), spending);`,
      },
    ],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'answered-before-its-row',
    breaks: 'An upload is acknowledged before its row is committed, and so whether it is or not.',
    file: 'src/domain/archives.ts',
    edits: [
      {
        find: `await commitBlobs([blob.id], { blobs: this.#blobs, pins: this.#pins }, async () => {
      await this.#insert(facts, blob.id);
      return [blob.id];
    });`,
        replace: `commitBlobs([blob.id], { blobs: this.#blobs, pins: this.#pins }, async () => {
      await this.#insert(facts, blob.id);
      return [blob.id];
    }).catch(() => undefined);`,
      },
    ],
    tests: ['src/domain/archives.test.ts'],
  },
  {
    name: 'not-held-until-its-row',
    breaks: 'The bytes of an upload are taken for garbage before its row is there.',
    file: 'src/domain/new-blobs.ts',
    edits: [{ find: 'const pin = pins.hold(ids);', replace: 'const pin = pins.hold([]);' }],
    tests: ['src/domain/new-blobs.test.ts'],
  },
  {
    name: 'committed-before-journalled',
    breaks:
      'The database has rows that the journal has not, and shows them before they are durable.',
    file: `${sqlite}/write-batches.ts`,
    edits: [
      {
        find: `await this.#append(position.sequence, payload);
    try {
      this.#commit();
    } catch {`,
        replace: `try {
      this.#commit();
      await this.#append(position.sequence, payload);
    } catch {`,
      },
    ],
    tests: [`${sqlite}/write-batches.test.ts`],
  },
  {
    name: 'answered-before-journalled',
    breaks: 'Who writes a row is told so before the journal has it.',
    file: `${sqlite}/write-batches.ts`,
    edits: [
      {
        find: 'batch.tellings.push(() => turn.resolve(value));',
        replace: 'turn.resolve(value);',
      },
    ],
    tests: [`${sqlite}/write-batches.test.ts`],
  },
  {
    name: 'retired-before-repointed',
    breaks: 'Compaction gives up a blob that a row still names.',
    file: 'src/workers/compact-segments-visit.ts',
    edits: [
      {
        find: 'const moved = await this.#repoint(copies);',
        replace: `await this.#options.compaction.retire(
        this.segment,
        copies.map(({ from }) => from),
      );
      const moved = await this.#repoint(copies);`,
      },
    ],
    tests: ['src/workers/compact-segments.test.ts'],
  },
  {
    name: 'journal-forgotten-through-the-newest-snapshot',
    breaks: 'Where the newest snapshot is damaged, the older one lacks the journal after it.',
    file: `${sqlite}/snapshotter.ts`,
    edits: [
      {
        find: 'await journal.forget(Math.min(oldest.sequence, newest.sequence - 1));',
        replace: 'await journal.forget(newest.sequence - 1);',
      },
    ],
    tests: [`${sqlite}/recovery.test.ts`],
  },
  {
    name: 'old-key-removed-before-headers',
    breaks: 'A rotation that dies leaves headers whose master key is in no file any more.',
    file: `${disk}/rotate-master-key.ts`,
    edits: [
      {
        find: 'await Promise.all(Array.from({ length: filesAtOnce }, rewrapNext));',
        replace: `if (isOurs) await writeMasterKeyFile(options, keys.slice(0, 1));
  await Promise.all(Array.from({ length: filesAtOnce }, rewrapNext));`,
      },
    ],
    tests: [`${disk}/rotate-master-key.test.ts`],
  },
  {
    name: 'new-key-used-before-durable',
    breaks: 'A rotation that dies leaves headers under a key that was never written down.',
    file: `${disk}/rotate-master-key.ts`,
    edits: [
      {
        find: `const keys = [key, ...found.keys] as const;
    await writeMasterKeyFile(options, keys);`,
        replace: 'const keys = [key, ...found.keys] as const;',
      },
    ],
    tests: [`${disk}/rotate-master-key.test.ts`],
  },
  {
    name: 'replacing-not-marked',
    breaks: 'A crash while a database is replaced leaves none, or parts of two, and no mark of it.',
    file: `${sqlite}/rebuild.ts`,
    edits: [{ find: "await markDamaged(path, 'It is being replaced.');", replace: '' }],
    tests: [`${sqlite}/rebuild-durability.test.ts`],
  },
];
