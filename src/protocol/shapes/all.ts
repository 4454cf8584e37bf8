import { archiveShapes } from './archives.ts';
import { jobShapes } from './jobs.ts';
import type { InputOf, OutputOf } from './shape.ts';
import { vaultShapes } from './vaults.ts';

/** Input and output of each operation that is built. */
export const shapes = { ...vaultShapes, ...archiveShapes, ...jobShapes } as const;

/** Operations that this version carries out. */
export type BuiltOperationName = keyof typeof shapes;

export type Input<N extends BuiltOperationName> = InputOf<(typeof shapes)[N]['input']>;
export type Output<N extends BuiltOperationName> = OutputOf<(typeof shapes)[N]['output']>;
