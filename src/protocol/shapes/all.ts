import type { OperationName } from '../operations.ts';
import { accessPolicyShapes } from './access-policy.ts';
import { archiveShapes } from './archives.ts';
import { capacityShapes } from './capacity.ts';
import { jobShapes } from './jobs.ts';
import { notificationShapes } from './notifications.ts';
import { retrievalPolicyShapes } from './retrieval-policy.ts';
import type { InputOf, OutputOf, Shape } from './shape.ts';
import { tagShapes } from './tags.ts';
import { uploadShapes } from './uploads.ts';
import { vaultLockShapes } from './vault-lock.ts';
import { vaultShapes } from './vaults.ts';

/** Input and output of each operation. */
export const shapes = {
  ...vaultShapes,
  ...archiveShapes,
  ...uploadShapes,
  ...jobShapes,
  ...tagShapes,
  ...notificationShapes,
  ...accessPolicyShapes,
  ...vaultLockShapes,
  ...retrievalPolicyShapes,
  ...capacityShapes,
} as const satisfies Record<OperationName, Shape>;

export type Input<N extends OperationName> = InputOf<(typeof shapes)[N]['input']>;
export type Output<N extends OperationName> = OutputOf<(typeof shapes)[N]['output']>;
