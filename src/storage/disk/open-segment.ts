import type { Log } from '../../lib/log.ts';
import { type Files, ifThere, isDamage, type Layout, type OpenFile } from './files.ts';

/**
 * Opens a segment for a walk through all of them. Nothing when it has gone meanwhile, or when it
 * can't be opened, which is reported: one damaged file shall not hide the others.
 */
export async function openSegment(
  segment: number,
  { files, layout, log }: { files: Files; layout: Layout; log: Log },
): Promise<OpenFile | undefined> {
  try {
    return await ifThere(files.open(layout.segment(segment), 'read'));
  } catch (cause) {
    if (!isDamage(cause)) throw cause;
    log.error('segment.unreadable', { segment, cause });
    return undefined;
  }
}
