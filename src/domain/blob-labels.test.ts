import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { labelBytesMax } from '../storage/blob-store.ts';
import {
  type ArchiveLabel,
  type BlobLabel,
  encodeBlobLabel,
  type InventoryLabel,
  type PartLabel,
  parseBlobLabel,
  type UploadedArchiveLabel,
} from './blob-labels.ts';

fc.configureGlobal({ seed: 20_260_131 });

const name = fc.string({ minLength: 1, unit: 'binary' });
const count = fc.maxSafeNat();
/** Whatever a string can be: lone halves of surrogate pairs too. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }))
  .map((codes) => String.fromCharCode(...codes));
const version = fc.constant(1 as const);
const vault = { accountId: name, region: name, vaultName: name, vaultId: name };
const content = { sizeBytes: count, treeHash: fc.stringMatching(/^[0-9a-f]{64}$/) };
const archive = { archiveId: name, description: anyText, createdAtMs: count };
const archiveLabels: fc.Arbitrary<ArchiveLabel> = fc.record(
  { kind: fc.constant('archive'), version, ...vault, ...archive, ...content },
  { noNullPrototype: true },
);
const upload = { uploadId: name, partSizeBytes: count };
const partLabels: fc.Arbitrary<PartLabel> = fc.record(
  { kind: fc.constant('part'), version, ...vault, ...upload, index: count, ...content },
  { noNullPrototype: true },
);
const uploadedArchiveLabels: fc.Arbitrary<UploadedArchiveLabel> = fc.record(
  {
    kind: fc.constant('uploaded-archive'),
    version,
    ...{ ...vault, ...archive, ...content, ...upload, partCount: count },
  },
  { noNullPrototype: true },
);
const inventoryLabels: fc.Arbitrary<InventoryLabel> = fc.record(
  { kind: fc.constant('inventory'), jobId: name, vaultId: name },
  { noNullPrototype: true },
);
const labels: fc.Arbitrary<BlobLabel> = fc.oneof(
  archiveLabels,
  partLabels,
  uploadedArchiveLabels,
  inventoryLabels,
);

test('a label is read as it was written, also from the bytes of its text', () => {
  fc.assert(
    fc.property(labels, (label) => {
      const text = encodeBlobLabel(label);
      assert.deepEqual(parseBlobLabel(text), label);
      assert.deepEqual(parseBlobLabel(Buffer.from(text).toString()), label);
    }),
  );
});

test('a label that lacks a member, or has one too many or another value in one, is none', () => {
  fc.assert(
    fc.property(labels, fc.nat(), fc.jsonValue(), (label, pick, value) => {
      const members = Object.entries(label);
      const at = pick % members.length;
      const [changed = ''] = members[at] ?? [];
      const without = Object.fromEntries(members.filter((_, index) => index !== at));
      assert.equal(parseBlobLabel(JSON.stringify(without)), undefined);
      assert.equal(parseBlobLabel(JSON.stringify({ ...label, other: value })), undefined);
      if (typeof value === typeof Object.values(label)[at]) return;
      assert.equal(parseBlobLabel(JSON.stringify({ ...label, [changed]: value })), undefined);
    }),
  );
});

test('other text is no label', () => {
  const texts = ['', '{', 'null', '1', '[]', '{}', '"archive"', '{"kind":"archive"}', 'hello'];
  for (const text of texts) assert.equal(parseBlobLabel(text), undefined, text);
  fc.assert(fc.property(fc.json(), (text) => assert.equal(parseBlobLabel(text), undefined)));
});

test('a label of a later version is not taken for one of this', () => {
  fc.assert(
    fc.property(fc.oneof(archiveLabels, partLabels, uploadedArchiveLabels), (label) => {
      assert.equal(parseBlobLabel(JSON.stringify({ ...label, version: 2 })), undefined);
    }),
  );
});

test('a label of one kind is not taken for one of another', () => {
  const kinds = ['archive', 'part', 'uploaded-archive', 'inventory'];
  fc.assert(
    fc.property(labels, fc.constantFrom(...kinds), (label, kind) => {
      if (label.kind === kind) return;
      assert.equal(parseBlobLabel(JSON.stringify({ ...label, kind })), undefined);
    }),
  );
});

test('the longest label is one that a store takes', () => {
  const label: UploadedArchiveLabel = {
    kind: 'uploaded-archive',
    version: 1,
    accountId: '9'.repeat(12),
    region: 'x'.repeat(64),
    vaultName: 'v'.repeat(255),
    vaultId: 'i'.repeat(64),
    archiveId: 'a'.repeat(138),
    // Six bytes for each letter: as many as there can be.
    description: '\u0001'.repeat(1024),
    createdAtMs: Number.MAX_SAFE_INTEGER,
    sizeBytes: Number.MAX_SAFE_INTEGER,
    treeHash: '0'.repeat(64),
    uploadId: 'u'.repeat(92),
    partSizeBytes: 4 * 1024 ** 3,
    partCount: 10_000,
  };
  assert.ok(Buffer.byteLength(encodeBlobLabel(label)) <= labelBytesMax);
});
