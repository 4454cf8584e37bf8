import { parentPort } from 'node:worker_threads';
import { defined } from '../../lib/assert.ts';
import {
  type FrameBytes,
  type FramePlace,
  type OpenedFrame,
  openFrame,
  type SealedFrame,
  sealFrame,
} from './frame-ciphers.ts';

/** What the thread is asked to do with a frame, whose memory is handed over, there and back. */
export interface FrameTask {
  readonly number: number;
  readonly deed: 'seal' | 'open';
  readonly memory: FrameBytes;
  readonly place: FramePlace;
}

/** What came of it. */
export interface FrameAnswer {
  readonly number: number;
  readonly result: SealedFrame | OpenedFrame;
}

const port = defined(parentPort, 'who started the thread');

port.on('message', ({ number, deed, memory, place }: FrameTask) => {
  const result =
    deed === 'seal'
      ? { memory, leaf: sealFrame(memory, place) }
      : { memory, isIntact: openFrame(memory, place) };
  const answer: FrameAnswer = { number, result };
  port.postMessage(answer, [memory.buffer]);
});
