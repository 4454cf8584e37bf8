/**
 * Every error code that can leave this server, and how it looks on the wire: the status and the
 * `type` member of its body. Developer guide, "Error Responses"; where guide and observation differ,
 * `docs/compatibility.md` says which one was taken.
 */
// biome-ignore format: a table reads best as a table
export const errorCodes = {
  AccessDeniedException:               { status: 403, fault: 'Client' },
  BadRequest:                          { status: 400, fault: 'Client' },
  ExpiredTokenException:               { status: 403, fault: 'Client' },
  IncompleteSignatureException:        { status: 400, fault: 'Client' },
  InsufficientCapacityException:       { status: 400, fault: 'Server' },
  InvalidParameterValueException:      { status: 400, fault: 'Client' },
  InvalidSignatureException:           { status: 403, fault: 'Client' },
  LimitExceededException:              { status: 400, fault: 'Client' },
  MissingAuthenticationTokenException: { status: 400, fault: 'Client' },
  MissingParameterValueException:      { status: 400, fault: 'Client' },
  PolicyEnforcedException:             { status: 400, fault: 'Client' },
  RequestTimeoutException:             { status: 408, fault: 'Client' },
  ResourceNotFoundException:           { status: 404, fault: 'Client' },
  SerializationException:              { status: 400, fault: 'Client' },
  ServiceUnavailableException:         { status: 500, fault: 'Server' },
  ThrottlingException:                 { status: 400, fault: 'Client' },
  UnrecognizedClientException:         { status: 400, fault: 'Client' },
} as const satisfies Record<string, { status: number; fault: 'Client' | 'Server' }>;

export type ErrorCode = keyof typeof errorCodes;

/** The codes that any operation can answer with, whatever its row says. */
export const commonErrorCodes = [
  'AccessDeniedException',
  'BadRequest',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InvalidParameterValueException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'MissingParameterValueException',
  'RequestTimeoutException',
  'SerializationException',
  'ServiceUnavailableException',
  'ThrottlingException',
  'UnrecognizedClientException',
] as const satisfies readonly ErrorCode[];

/** An outcome that the API names: it becomes a reply with the code's status. */
export class GlacierError extends Error {
  override readonly name = 'GlacierError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** `400`, a header, query or body value breaks its rule. */
export function invalidParameter(message: string, options?: ErrorOptions): GlacierError {
  return new GlacierError('InvalidParameterValueException', message, options);
}

/** `400`, with the text that the live service sends: a part is not as long as its range. */
export function otherLength(contentRange: string, sizeBytes: number): GlacierError {
  return invalidParameter(
    `Content-Range: ${contentRange} is incompatible with Content-Length: ${sizeBytes}`,
  );
}

/** `400`, with the text that the live service sends: `Required parameter missing: <name>`. */
export function missingParameter(name: string): GlacierError {
  return new GlacierError('MissingParameterValueException', `Required parameter missing: ${name}`);
}
