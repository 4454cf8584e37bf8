import { description, treeHash } from './archives.ts';
import {
  accountId,
  body,
  header,
  limit,
  list,
  marker,
  path,
  required,
  vaultName,
} from './members.ts';
import type { Members, Shape } from './shape.ts';

const uploadId = path('uploadId');

/** What lists say of an upload. Developer guide, "List Multipart Uploads" and "List Parts". */
const uploadDescription = {
  archiveDescription: body('ArchiveDescription', 'string'),
  creationDate: required(body('CreationDate', 'string')),
  multipartUploadId: required(body('MultipartUploadId', 'string')),
  partSizeInBytes: required(body('PartSizeInBytes', 'integer')),
  vaultARN: required(body('VaultARN', 'string')),
} as const satisfies Members;

const partDescription = {
  rangeInBytes: required(body('RangeInBytes', 'string')),
  sHA256TreeHash: required(body('SHA256TreeHash', 'string')),
} as const satisfies Members;

export const uploadShapes = {
  InitiateMultipartUpload: {
    input: {
      accountId,
      vaultName,
      // Its rule and the text of its error are one sentence of the live service, also when it is absent.
      partSize: header('x-amz-part-size'),
      archiveDescription: description,
    },
    output: {
      location: required(header('location')),
      uploadId: required(header('x-amz-multipart-upload-id')),
    },
  },
  UploadMultipartPart: {
    input: {
      accountId,
      vaultName,
      uploadId,
      range: {
        ...required(header('content-range')),
        missingName: 'Content-Range',
        form: 'content-range',
        invalid: 'Invalid Content-Range: {value}',
      },
      contentLength: {
        in: 'header',
        name: 'content-length',
        type: 'integer',
        lengthOf: 'range',
        invalid: 'Invalid Content-Length: {value}',
        unmodelled: true,
      },
      contentSha256: { ...required(header('x-amz-content-sha256')), unmodelled: true },
      checksum: required(treeHash),
      body: { in: 'stream', name: 'body', type: 'stream', required: true },
    },
    output: { checksum: required(header('x-amz-sha256-tree-hash')) },
  },
  CompleteMultipartUpload: {
    input: {
      accountId,
      vaultName,
      uploadId,
      checksum: required(treeHash),
      archiveSize: required(header('x-amz-archive-size')),
    },
    output: {
      location: required(header('location')),
      archiveId: required(header('x-amz-archive-id')),
      checksum: required(header('x-amz-sha256-tree-hash')),
    },
  },
  AbortMultipartUpload: {
    input: { accountId, vaultName, uploadId },
    output: {},
  },
  ListMultipartUploads: {
    input: { accountId, vaultName, limit, marker },
    output: {
      marker: body('Marker', 'string'),
      uploadsList: required(body('UploadsList', list(uploadDescription))),
    },
  },
  ListParts: {
    input: { accountId, vaultName, uploadId, limit, marker },
    output: {
      archiveDescription: uploadDescription.archiveDescription,
      creationDate: uploadDescription.creationDate,
      marker: body('Marker', 'string'),
      multipartUploadId: uploadDescription.multipartUploadId,
      partSizeInBytes: uploadDescription.partSizeInBytes,
      parts: required(body('Parts', list(partDescription))),
      vaultARN: uploadDescription.vaultARN,
    },
  },
} as const satisfies Record<string, Shape>;
