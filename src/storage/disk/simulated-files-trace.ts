import { type DiskChange, DiskImage, type NodeNumber } from './simulated-files-image.ts';

/** Something that happened to a disk, or, for a note, to who uses it. */
export type TraceEvent<Note> =
  | { readonly kind: 'node'; readonly node: NodeNumber; readonly of: 'file' | 'directory' }
  | { readonly kind: 'change'; readonly change: DiskChange; readonly text: string }
  | {
      readonly kind: 'sync' | 'drop';
      readonly home: NodeNumber;
      readonly through: number;
      readonly text: string;
    }
  | { readonly kind: 'note'; readonly note: Note };

/** All that happened to a disk, in order, so that each moment of it can be had again. */
export class DiskTrace<Note> {
  readonly start: DiskImage;
  readonly events: TraceEvent<Note>[] = [];

  /** `start` is the disk as it was before. */
  constructor(start = new DiskImage()) {
    this.start = start.copy();
  }

  add(event: TraceEvent<Note>): void {
    this.events.push(event);
  }

  note(note: Note): void {
    this.events.push({ kind: 'note', note });
  }

  /** What was noted among the first `length` events. */
  notes(length = this.events.length): Note[] {
    return this.events
      .slice(0, length)
      .flatMap((event) => (event.kind === 'note' ? [event.note] : []));
  }
}

/** Does to `image` what `event` says happened. */
export function replay(image: DiskImage, event: TraceEvent<unknown>): void {
  switch (event.kind) {
    case 'node':
      image.addNode(event.node, event.of);
      break;
    case 'change':
      image.change(event.change);
      break;
    case 'sync':
      image.sync(event.home, event.through);
      break;
    case 'drop':
      image.drop(event.home, event.through);
      break;
    case 'note':
      break;
  }
}

/** The disk as it was after the first `length` events. */
export function imageAfter(trace: DiskTrace<unknown>, length: number): DiskImage {
  const image = trace.start.copy();
  for (const event of trace.events.slice(0, length)) replay(image, event);
  return image;
}
