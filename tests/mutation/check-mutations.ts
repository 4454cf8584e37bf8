import type { Mutation } from './mutation.ts';

const disk = 'src/storage/disk';
const sqlite = 'src/storage/sqlite';

/** Each checksum not compared, and each other question not asked. */
export const checkMutations: readonly Mutation[] = [
  {
    name: 'tag-of-sealed-bytes-not-verified',
    breaks:
      'A small archive, a label or a batch of the journal of which a bit flipped is believed.',
    file: `${disk}/data-key.ts`,
    edits: [{ find: 'decipher.final();', replace: '' }],
    tests: [`${disk}/data-key.test.ts`],
  },
  {
    name: 'tag-of-frame-not-verified',
    breaks: 'A large archive of which a bit flipped is handed on.',
    file: `${disk}/frame-ciphers.ts`,
    edits: [{ find: 'decipher.final();', replace: '' }],
    tests: [`${disk}/frame-threads.test.ts`],
  },
  {
    name: 'tag-of-wrapped-key-not-verified',
    breaks: 'A damaged data key is used, instead of the copy in the other header.',
    file: `${disk}/master-keys.ts`,
    edits: [{ find: 'decipher.final();', replace: '' }],
    tests: [`${disk}/master-keys.test.ts`],
  },
  {
    name: 'place-not-bound',
    breaks:
      'Sealed bytes that were copied elsewhere in their file are taken for those of that place.',
    file: `${disk}/data-key.ts`,
    edits: [{ find: 'bytes.writeBigUInt64BE(BigInt(position), 1);', replace: 'void position;' }],
    tests: [`${disk}/data-key.test.ts`],
  },
  {
    name: 'record-header-not-bound',
    breaks: 'What the header of a record says of it can be changed by who can write to the disk.',
    file: `${disk}/segment-record.ts`,
    edits: [
      {
        find: 'const place = { kind: sealedKinds.record, position: header.offsetBytes, context };',
        replace: 'const place = { kind: sealedKinds.record, position: header.offsetBytes };',
      },
      { find: 'context: lastingBytes(header)', replace: 'context: Buffer.alloc(0)' },
    ],
    tests: [`${disk}/disk-blob-damage.test.ts`],
  },
  {
    name: 'key-not-bound-to-its-file',
    breaks: 'The header of one file gives its key to another, in whose place it was put.',
    file: `${disk}/master-keys.ts`,
    edits: [
      {
        find: "createCipheriv('aes-256-gcm', bytes, nonce).setAAD(identity)",
        replace: "createCipheriv('aes-256-gcm', bytes, nonce)",
      },
      {
        find: "createDecipheriv('aes-256-gcm', key.bytes, wrapped.nonce).setAAD(identity)",
        replace: "createDecipheriv('aes-256-gcm', key.bytes, wrapped.nonce)",
      },
    ],
    tests: [`${disk}/master-keys.test.ts`],
  },
  {
    name: 'record-checksum-not-compared',
    breaks: 'A damaged header of a record leads the listing of its segment astray.',
    file: `${disk}/segment-record.ts`,
    edits: [{ find: 'if (!startsWith(checksumOf(from), checksum)) return;', replace: '' }],
    tests: [`${disk}/segment-scan.test.ts`],
  },
  {
    name: 'file-checksum-not-compared',
    breaks: 'A damaged header of a file is believed, and the intact copy not looked at.',
    file: `${disk}/file-header.ts`,
    edits: [
      {
        find: '!isOurs || Buffer.compare(checksum, bytes.subarray(checksumOffset)) !== 0',
        replace: '!isOurs',
      },
    ],
    tests: [`${disk}/file-header.test.ts`],
  },
  {
    name: 'journal-checksum-not-compared',
    breaks: 'A damaged header of a batch leads the reading of the journal astray.',
    file: `${disk}/journal-entry.ts`,
    edits: [
      {
        find: 'if (Buffer.compare(checksumOf(bytes), checksum) !== 0) return undefined;',
        replace: '',
      },
    ],
    tests: [`${disk}/journal-scan.test.ts`],
  },
  {
    name: 'second-header-not-read',
    breaks: 'One damaged byte in the first header of a file makes all that is in it unreadable.',
    file: `${disk}/header-copies.ts`,
    edits: [
      {
        find: 'for (const offset of offsets) {',
        replace: 'for (const offset of offsets.slice(0, 1)) {',
      },
    ],
    tests: [`${disk}/header-copies.test.ts`],
  },
  {
    name: 'second-key-not-read',
    breaks: 'One byte of the master key file stands for all data.',
    file: `${disk}/master-key-file.ts`,
    edits: [
      {
        find: 'for (const copy of [content.slice(0, half), content.slice(half)]) {',
        replace: 'for (const copy of [content.slice(0, half)]) {',
      },
    ],
    tests: [`${disk}/master-key-file.test.ts`],
  },
  {
    name: 'store-of-a-file-not-compared',
    breaks: 'A segment that strayed here from another store is read as one of ours.',
    file: `${disk}/header-reader.ts`,
    edits: [
      {
        find: 'if (header.storeId !== expected.storeId) {',
        replace: 'if (header.storeId === undefined) {',
      },
      {
        find: 'if (names.every((name) => header[name] === expected[name])) return undefined;',
        replace: `const others = names.filter((name) => name !== 'storeId');
    if (others.every((name) => header[name] === expected[name])) return undefined;`,
      },
    ],
    tests: [`${disk}/header-reader.test.ts`],
  },
  {
    name: 'store-of-the-volume-not-compared',
    breaks: 'A store opens in the directory of another one, and takes its blobs for garbage.',
    file: `${disk}/disk-volume.ts`,
    edits: [
      {
        find: 'if (header.storeId !== storeId) throw ofAnotherStore(path, header.storeId, storeId);',
        replace: '',
      },
    ],
    tests: [`${disk}/disk-volume.test.ts`],
  },
  {
    name: 'store-of-the-journal-not-compared',
    breaks: 'The batches of another store are replayed on the rows of this one.',
    file: `${disk}/journal-files.ts`,
    edits: [
      {
        find: 'if (header.storeId !== storeId) return',
        replace: "if (header.storeId === '') return",
      },
    ],
    tests: [`${disk}/journal-scan.test.ts`],
  },
  {
    name: 'missing-master-key-replaced',
    breaks: 'Where the master key is missing a new one is made, which opens nothing.',
    file: `${disk}/master-key-file.ts`,
    edits: [{ find: 'if (!mayCreate) throw missing(options);', replace: '' }],
    tests: [`${disk}/master-key-file.test.ts`],
  },
  {
    name: 'nonce-used-again-in-a-segment',
    breaks: 'After a batch that was cut off the next one is sealed under the same nonces.',
    file: `${disk}/segment-writer.ts`,
    edits: [
      {
        find: "import type { SealingKey } from './data-key.ts';",
        replace: "import { SealingKey } from './data-key.ts';",
      },
      {
        find: 'await this.#takeBack(file);',
        replace: `await this.#takeBack(file);
      if (this.#open !== undefined) {
        this.#open = { ...this.#open, key: new SealingKey(this.#open.key.bytes) };
      }`,
      },
    ],
    tests: [`${disk}/segment-writer.test.ts`],
  },
  {
    name: 'nonce-used-again-in-the-journal',
    breaks: 'After a batch that was cut off the next one is sealed under the same nonce.',
    file: `${disk}/journal-writer.ts`,
    edits: [
      {
        find: "import type { SealingKey } from './data-key.ts';",
        replace: "import { SealingKey } from './data-key.ts';",
      },
      {
        find: 'current.filler.noteCut(current.endBytes);',
        replace: `current.filler.noteCut(current.endBytes);
    this.#current = { ...current, key: new SealingKey(current.key.bytes) };`,
      },
    ],
    tests: [`${disk}/journal-files.test.ts`],
  },
  {
    name: 'nonce-count-stands-still',
    breaks: 'All that is in a file is sealed under the same nonce, but for what comes first.',
    file: `${disk}/data-key.ts`,
    edits: [{ find: 'this.#count += 1;', replace: 'this.#count += this.#count === 0 ? 1 : 0;' }],
    tests: [`${disk}/data-key.test.ts`],
  },
  {
    name: 'failed-sync-taken-for-done',
    breaks: 'What a failed sync may have lost is acknowledged.',
    file: `${disk}/write-gate.ts`,
    edits: [{ find: 'this.#failure ??= { cause };', replace: 'void cause;' }],
    tests: [`${disk}/write-gate.test.ts`],
  },
  {
    name: 'written-after-a-failed-sync',
    breaks: 'A sync is tried again after it failed, and its success believed.',
    file: `${disk}/write-gate.ts`,
    edits: [
      { find: 'this.#failure ??= { cause };', replace: 'if (!isOfOpening(cause)) throw cause;' },
    ],
    tests: [`${disk}/write-gate.test.ts`],
  },
  {
    name: 'full-disk-swallowed-by-a-segment',
    breaks: 'A small archive is acknowledged for which there was no room.',
    file: `${disk}/segment-writer.ts`,
    edits: [
      {
        find: `filler.noteCut(this.#endBytes);
      throw error;`,
        replace: `filler.noteCut(this.#endBytes);
      if (writeFailure(error) === error) throw error;`,
      },
    ],
    tests: [`${disk}/disk-blob-durability.test.ts`],
  },
  {
    name: 'full-disk-swallowed-by-the-journal',
    breaks: 'A row is acknowledged for whose batch there was no room.',
    file: `${disk}/disk-journal.ts`,
    edits: [
      {
        find: 'if (!isFull(error) || (await this.#options.onFull?.()) !== true) throw error;',
        replace: `if (!isFull(error)) throw error;
      if ((await this.#options.onFull?.()) !== true) return;`,
      },
    ],
    tests: [`${disk}/disk-journal.test.ts`],
  },
  {
    name: 'tree-hash-not-compared-at-upload',
    breaks: 'An archive that was changed on its way is stored.',
    file: 'src/domain/archive-hashes.ts',
    edits: [
      {
        find: 'if (computed === claimed.toLowerCase()) return',
        replace: "if (computed !== '') return",
      },
    ],
    tests: ['src/domain/archives.test.ts'],
  },
  {
    name: 'leaf-hash-not-compared',
    breaks: 'The scrub finds nothing wrong with bytes that are not those that were stored.',
    file: 'src/domain/archive-verification-frames.ts',
    edits: [
      {
        find: 'if (!isEnd || digest === this.#leafOf(frame.firstByte)) return undefined;',
        replace: 'if (!isEnd || digest !== undefined) return undefined;',
      },
    ],
    tests: ['src/domain/archive-verification-frames.test.ts'],
  },
  {
    name: 'tree-hash-not-compared-by-the-scrub',
    breaks: 'The scrub finds nothing wrong with an archive whose row names the bytes of another.',
    file: 'src/domain/archive-verification.ts',
    edits: [
      {
        find: 'this.#isTreeWhole && toHex(this.#tree.digest()) !== treeHash',
        replace: "this.#isTreeWhole && treeHash === ''",
      },
    ],
    tests: ['src/domain/archive-verification.test.ts'],
  },
  {
    name: 'tree-hash-of-a-part-not-compared-by-the-scrub',
    breaks: 'The scrub names no part where the row of one names the bytes of another.',
    file: 'src/domain/archive-verification.ts',
    edits: [
      {
        find: 'if (treeHash === null || treeHashOfLeaves(leaves) === treeHash) return;',
        replace: "if (treeHash === null || leaves.length >= 0 || treeHash === '') return;",
      },
    ],
    tests: ['src/domain/archive-verification-parts.test.ts'],
  },
  {
    name: 'label-not-compared-by-the-scrub',
    breaks: 'The scrub finds nothing wrong with an archive of whose row the description changed.',
    file: 'src/domain/archive-verification.ts',
    edits: [
      { find: 'if (problem !== undefined) this.#damage.add(problem);', replace: 'void problem;' },
    ],
    tests: ['src/domain/archive-verification.test.ts'],
  },
  {
    name: 'snapshot-label-not-compared',
    breaks: 'A snapshot that was given the name of a newer one hides the changes in between.',
    file: `${disk}/disk-snapshots.ts`,
    edits: [
      { find: 'if (label === labelOf(parsed)) return', replace: 'if (label !== undefined) return' },
    ],
    tests: [`${disk}/disk-snapshots.test.ts`],
  },
  {
    name: 'removal-mark-not-looked-at',
    breaks: 'An archive that was removed is read and copied as if it were there.',
    file: `${disk}/segment-reader.ts`,
    edits: [{ find: "if (header.mark === 'removed') throw blobNotFound(id);", replace: '' }],
    tests: [`${disk}/disk-blob-store.test.ts`],
  },
  {
    name: 'copy-not-read-back',
    breaks: 'Compaction gives up a blob whose copy nobody has looked at.',
    file: `${disk}/segment-store.ts`,
    edits: [{ find: 'await this.#verifyCopy(copy, blob);', replace: '' }],
    tests: [`${disk}/disk-blob-compaction.test.ts`],
  },
  {
    name: 'gap-in-the-journal-accepted',
    breaks: 'The replay passes over a batch that is missing, and nobody learns of it.',
    file: `${sqlite}/replay.ts`,
    edits: [
      {
        find: 'if (sequence !== before.sequence + 1) {',
        replace: 'if (sequence <= before.sequence) {',
      },
    ],
    tests: [`${sqlite}/replay-refusals.test.ts`],
  },
  {
    name: 'history-of-a-batch-not-compared',
    breaks: 'The replay adds to an old database what came after other changes than it has.',
    file: `${sqlite}/replay.ts`,
    edits: [
      {
        find: 'if (!isOfHistory(previous, before)) throw ofAnotherHistory(sequence, before);',
        replace: '',
      },
    ],
    tests: [`${sqlite}/replay-refusals.test.ts`],
  },
  {
    name: 'damage-mark-ignored',
    breaks: 'A database that was found damaged is opened again at the next start.',
    file: `${sqlite}/recovery.ts`,
    edits: [
      {
        find: "if (await hasDamageMark(path)) return new Error('It was found damaged when it was last used.');",
        replace: '',
      },
    ],
    tests: [`${sqlite}/snapshotter.test.ts`],
  },
  {
    name: 'damaged-database-not-set-aside',
    breaks: 'A damaged database is written over: nobody can look into it for what was lost.',
    file: `${sqlite}/rebuild.ts`,
    edits: [
      {
        find: 'const aside = await setAside(path, options.clock);',
        replace: 'const aside = null;',
      },
    ],
    tests: [`${sqlite}/recovery.test.ts`],
  },
  {
    name: 'snapshot-ahead-ignored',
    breaks: 'A database from a backup is used without the rows that its snapshots have.',
    file: `${sqlite}/recovery.ts`,
    edits: [{ find: 'await checkAgainstSnapshots(position, options);', replace: '' }],
    tests: [`${sqlite}/older-database.test.ts`],
  },
  {
    name: 'pins-ignored-by-compaction',
    breaks: 'A blob that somebody is reading is given up under his hands.',
    file: 'src/workers/compact-segments-visit.ts',
    edits: [
      { find: 'import { type Pins, pinGraceMs }', replace: 'import { Pins, pinGraceMs }' },
      {
        find: `this.segment = segment;
    this.#options = options;`,
        replace: `this.segment = segment;
    this.#options = { ...options, pins: new Pins() };`,
      },
    ],
    tests: ['src/workers/compact-segments.test.ts'],
  },
  {
    name: 'pins-ignored-by-the-sweeper',
    breaks: 'The bytes of an upload whose row is under way are taken for garbage.',
    file: 'src/workers/sweep-orphans.ts',
    edits: [
      { find: 'import type { Pins }', replace: 'import { Pins }' },
      {
        find: 'this.#options = options;',
        replace: 'this.#options = { ...options, pins: new Pins() };',
      },
    ],
    tests: ['src/workers/sweep-orphans.test.ts'],
  },
  {
    name: 'age-of-orphans-ignored',
    breaks: 'Bytes without a row are removed before anybody could notice that rows are missing.',
    file: 'src/workers/sweep-orphans.ts',
    edits: [
      {
        find: 'if (clock.elapsedMs() - suspectedAtMs < graceMs) continue;',
        replace: 'if (suspectedAtMs === Infinity) continue;',
      },
    ],
    tests: ['src/workers/sweep-orphans.test.ts'],
  },
  {
    name: 'number-of-orphans-ignored',
    breaks: 'All archives are removed as garbage because their rows are gone.',
    file: 'src/workers/sweep-orphans.ts',
    edits: [
      {
        find: 'if (count > orphansMax || !this.#unnamed.areRowsTrusted) {',
        replace: 'if (!this.#unnamed.areRowsTrusted) {',
      },
    ],
    tests: ['src/workers/sweep-orphans.test.ts'],
  },
  {
    name: 'other-copy-not-read',
    breaks: 'The last sound copy of an archive is given up because a row names a damaged one.',
    file: 'src/domain/unnamed-blobs.ts',
    edits: [
      {
        find: 'if (await this.#isSound(found.named, found, signal)) return',
        replace: 'if (found.named !== undefined) return',
      },
    ],
    tests: ['src/workers/sweep-orphans.test.ts'],
  },
  {
    name: 'replaced-part-taken-for-a-copy',
    breaks:
      'A part in whose place another was put takes that place again when the other is damaged.',
    file: 'src/domain/named-blobs.ts',
    edits: [
      {
        find: 'if (part?.index !== index || part.treeHash !== treeHash) return undefined;',
        replace: "if (part?.index !== index || treeHash === '') return undefined;",
      },
    ],
    tests: ['src/domain/unnamed-blobs-parts.test.ts'],
  },
  {
    name: 'hash-of-salvaged-parts-not-compared',
    breaks: 'An archive is made again out of parts that others were put in the place of.',
    file: 'src/domain/salvage-parts.ts',
    edits: [
      { find: ' === label.treeHash) return { parts };', replace: " !== '') return { parts };" },
    ],
    tests: ['src/domain/salvage-uploads.test.ts'],
  },
  {
    name: 'contradiction-of-rows-ignored',
    breaks: 'One flipped bit in an index of the rows makes garbage of an archive.',
    file: 'src/domain/unnamed-blobs.ts',
    edits: [
      {
        find: 'if (await this.#contradict(blob.blobId, owner, rows)) return',
        replace: 'if (owner === undefined) return',
      },
    ],
    tests: ['src/workers/sweep-orphans.test.ts'],
  },
  {
    name: 'torn-tail-kept',
    breaks: 'What a crash left half-written at the end of a segment takes room for ever.',
    file: `${disk}/segment-store.ts`,
    edits: [{ find: 'if (lastSegment > 0) await cutTornTail(lastSegment, parts);', replace: '' }],
    tests: [`${disk}/disk-blob-damage.test.ts`],
  },
];
