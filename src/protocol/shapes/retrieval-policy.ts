import { limits } from '../limits.ts';
import { accountId, body, list, required } from './members.ts';
import type { Members, Shape } from './shape.ts';

/** Developer guide, "Set Data Retrieval Policy": `BytesPerHour` only beside the strategy of that name. */
const rule = {
  bytesPerHour: {
    ...body('BytesPerHour', 'long'),
    min: 1,
    max: limits.bytesPerHourMax,
    invalid: 'Invalid BytesPerHour: {value}',
    omittedWhenNull: true,
  },
  strategy: {
    ...required(body('Strategy', 'string')),
    oneOf: ['BytesPerHour', 'FreeTier', 'None'],
    invalid: 'Invalid strategy: {value}',
  },
} as const satisfies Members;

/** Unlike other documents, this one is wrapped in a member on the wire. */
const policy = required(
  body('Policy', { structure: { rules: required(body('Rules', list(rule))) } }),
);

export const retrievalPolicyShapes = {
  SetDataRetrievalPolicy: {
    input: { accountId, policy },
    output: {},
  },
  GetDataRetrievalPolicy: {
    input: { accountId },
    output: { policy },
  },
} as const satisfies Record<string, Shape>;
