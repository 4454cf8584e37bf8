import { limits } from '../limits.ts';
import { accountId, header, path, required, vaultName } from './members.ts';
import type { Member, Shape } from './shape.ts';

/** The tree hash that a caller claims of what it sends. */
export const treeHash = {
  ...header('x-amz-sha256-tree-hash'),
  form: 'hex',
  invalid: 'Invalid x-amz-sha256-tree-hash: {value}',
} as const satisfies Member;

/** Developer guide, "Upload Archive": up to 1,024 characters of 7-bit ASCII, 32–126 decimal. */
export const description = {
  ...header('x-amz-archive-description'),
  emptyIsText: true,
  form: 'printable',
  bytesMax: limits.descriptionBytesMax,
  invalid: 'Invalid x-amz-archive-description: {value}',
} as const satisfies Member;

export const archiveShapes = {
  UploadArchive: {
    input: {
      accountId,
      vaultName,
      contentLength: {
        in: 'header',
        name: 'content-length',
        type: 'integer',
        required: true,
        missingName: 'Content-Length',
        min: 1,
        max: limits.archiveSizeBytesMax,
        invalid: 'Invalid Content-Length: {value}',
        unmodelled: true,
      },
      contentSha256: { ...required(header('x-amz-content-sha256')), unmodelled: true },
      checksum: required(treeHash),
      archiveDescription: description,
      body: { in: 'stream', name: 'body', type: 'stream', required: true },
    },
    output: {
      location: required(header('location')),
      archiveId: required(header('x-amz-archive-id')),
      checksum: required(header('x-amz-sha256-tree-hash')),
    },
  },
  DeleteArchive: {
    input: { accountId, vaultName, archiveId: path('archiveId') },
    output: {},
  },
} as const satisfies Record<string, Shape>;
