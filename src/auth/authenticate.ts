import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { GlacierError } from '../protocol/errors.ts';
import {
  type SignatureClaim,
  type SignedRequest,
  signatureOf,
  stringToSign,
} from '../protocol/sigv4.ts';
import { canonicalRequests } from '../protocol/sigv4-canonical.ts';
import { readSignatureClaim } from '../protocol/sigv4-claim.ts';
import { checkFreshness } from '../protocol/sigv4-date.ts';
import { checkScope, checkSignedHeaders } from '../protocol/sigv4-scope.ts';
import { nodeHashes, SigningKeys } from './signing-keys.ts';

/** An access key with its secret and its owner. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly accountId: string;
  /** `arn:aws:iam::<account>:root` for a root key. */
  readonly principalArn: string;
  readonly isActive: boolean;
  /** Temporary credentials come with a token, and every request must show it. */
  readonly sessionToken?: string | undefined;
  readonly expiresAtMs?: number | undefined;
}

/** Who sent a request, and where to: proved by its signature. */
export interface Caller {
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly principalArn: string;
  /** Whether the key is the account's own: it may do everything within its account. */
  readonly isRoot: boolean;
  /** Region and service of the credential scope. */
  readonly region: string;
  readonly service: string;
}

/** A request that has passed every check that can be made without its body. */
export interface PendingAuthentication {
  /** Known as soon as the signature is verified: at once when the request names its body's hash. */
  readonly caller: Caller | undefined;
  /** The value of `x-amz-content-sha256`, which the body has yet to match. */
  readonly claimedPayloadSha256: string | undefined;
  /**
   * Takes the SHA-256 of the body that came, in lower-case hexadecimal, and returns the caller.
   * Throws a `GlacierError` when the signature, or the hash that the request names, is another.
   */
  finish(payloadSha256: string): Caller;
}

export interface AuthenticatorOptions {
  /** Finds the credential of an access key. */
  readonly credentials: (accessKeyId: string) => Promise<Credential | undefined>;
  readonly clock: Pick<Clock, 'now'>;
  /** How far a request's date may be off, either way. */
  readonly skewMs?: number;
  /** Host names, with or without port, under which proxies hand requests on to this server. */
  readonly publicNames?: readonly string[];
  /** The services that a scope may name. The first is the one that errors speak of. */
  readonly services?: readonly string[];
  /** How many signing keys are kept. */
  readonly signingKeysMax?: number;
}

/** What an access key id may look like; nothing else is looked up. */
const accessKeyIdPattern = /^[!-~]{1,128}$/;

/** Verifies Signature Version 4. Developer guide, "Signing Requests". */
export class Authenticator {
  readonly #credentials: AuthenticatorOptions['credentials'];
  readonly #clock: Pick<Clock, 'now'>;
  readonly #skewMs: number;
  readonly #publicNames: readonly string[];
  readonly #services: readonly string[];
  readonly #signingKeys: SigningKeys;

  constructor(options: AuthenticatorOptions) {
    this.#credentials = options.credentials;
    this.#clock = options.clock;
    this.#skewMs = options.skewMs ?? 5 * 60_000;
    this.#publicNames = options.publicNames ?? [];
    this.#services = options.services ?? ['glacier'];
    this.#signingKeys = new SigningKeys(options.signingKeysMax ?? 1000);
  }

  /**
   * Makes every check that needs no body. Throws a `GlacierError` when one fails.
   *
   * The date is judged as of now, when the headers are in: a slow upload does not expire under way.
   */
  async begin(request: SignedRequest): Promise<PendingAuthentication> {
    const nowMs = this.#clock.now();
    const claim = readSignatureClaim(request);
    const found = accessKeyIdPattern.test(claim.accessKeyId)
      ? await this.#credentials(claim.accessKeyId)
      : undefined;
    const credential = usable(found, claim, nowMs);
    checkScope(claim, this.#services);
    checkFreshness(claim, nowMs, this.#skewMs);
    checkSignedHeaders(claim);

    const claimed = claim.payloadSha256;
    if (claimed === undefined) {
      return {
        caller: undefined,
        claimedPayloadSha256: undefined,
        finish: (computed) => this.#verify(request, claim, { credential, payload: computed }),
      };
    }
    const caller = this.#verify(request, claim, { credential, payload: claimed });
    return {
      caller,
      claimedPayloadSha256: claimed,
      finish: (computed) => {
        if (computed !== claimed.toLowerCase()) throw payloadMismatch(computed, claimed);
        return caller;
      },
    };
  }

  #verify(
    request: SignedRequest,
    claim: SignatureClaim,
    { credential, payload }: { readonly credential: Credential; readonly payload: string },
  ): Caller {
    const key = this.#signingKeys.get(credential, claim.scope);
    const options = { payloadSha256: payload, publicNames: this.#publicNames };
    for (const canonicalRequest of canonicalRequests(request, claim, options)) {
      const toSign = stringToSign(claim, canonicalRequest, nodeHashes);
      if (isSame(signatureOf(key, toSign, nodeHashes), claim.signature.toLowerCase())) {
        return callerOf(credential, claim);
      }
    }
    throw signatureMismatch();
  }
}

/**
 * `403`, the body is not the one that `x-amz-content-sha256` names. No body is, when the header
 * holds anything but 64 hexadecimal digits.
 */
export function payloadMismatch(computed: string, claimed: string): GlacierError {
  return new GlacierError(
    'InvalidSignatureException',
    'The value passed in as x-amz-content-sha256 does not match the computed payload hash. ' +
      `Computed digest: ${computed} expected hash: ${claimed}`,
  );
}

/**
 * The credential, when it is good for this request. That a key is unknown is no secret, the answer
 * says so; hence nothing is computed to hide it.
 */
function usable(
  credential: Credential | undefined,
  { sessionToken = '' }: SignatureClaim,
  nowMs: number,
): Credential {
  if (!credential?.isActive || !isSame(credential.sessionToken ?? '', sessionToken)) {
    throw new GlacierError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }
  if (credential.expiresAtMs !== undefined && credential.expiresAtMs <= nowMs) {
    throw new GlacierError(
      'ExpiredTokenException',
      'The security token included in the request is expired',
    );
  }
  return credential;
}

function signatureMismatch(): GlacierError {
  return new GlacierError(
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. ' +
      'Check your AWS Secret Access Key and signing method. ' +
      'Consult the service documentation for details.',
  );
}

function callerOf(credential: Credential, { scope }: SignatureClaim): Caller {
  const { accountId, accessKeyId, principalArn } = credential;
  const isRoot = principalArn.endsWith(`:iam::${accountId}:root`);
  const { region, service } = scope;
  return { accountId, accessKeyId, principalArn, isRoot, region, service };
}

/** Compares two texts in a time that does not depend on where they differ. */
function isSame(expected: string, actual: string): boolean {
  if (expected === '') return actual === '';
  const [a, b] = [Buffer.from(expected), Buffer.from(actual)];
  return a.length === b.length && timingSafeEqual(a, b);
}
