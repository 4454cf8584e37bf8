import { frameSizeBytes } from '../blob-store.ts';
import { tagBytes } from './data-key.ts';
import { fileHeaderBytes } from './file-header.ts';

/** The frames begin after the first header, each sealed by itself. */
export function frameOffset(index: number): number {
  return fileHeaderBytes + index * (frameSizeBytes + tagBytes);
}

export function frameCountOf(contentBytes: number): number {
  return Math.ceil(contentBytes / frameSizeBytes);
}

/** After the frames: the description, and then the second header. */
export function descriptionOffset(contentBytes: number): number {
  return fileHeaderBytes + contentBytes + frameCountOf(contentBytes) * tagBytes;
}

/** What a description takes, sealed. */
export function descriptionSizeBytes(sizes: { contentBytes: number; labelBytes: number }): number {
  return frameCountOf(sizes.contentBytes) * 32 + sizes.labelBytes + tagBytes;
}
