import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import { sha256Hex } from '../lib/node/sha256.ts';
import {
  byteStringOf,
  bytesOf,
  deriveSigningKey,
  emptyPayloadSha256,
  type SignedRequest,
  type SigningHashes,
} from './sigv4.ts';
import { canonicalRequests } from './sigv4-canonical.ts';
import { readSignatureClaim } from './sigv4-claim.ts';
import { presign, type RequestToSign, sign } from './sigv4-signer.ts';
import { toHex } from './tree-hash.ts';

const hashes: SigningHashes = {
  sha256Hex,
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
};

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

const version = ['x-amz-glacier-version', '2012-06-01'];

/** A request of 2017 to the second region of the examples, unless `changes` say otherwise. */
function request(target: string, changes: Partial<RequestToSign> = {}): RequestToSign {
  return {
    method: 'GET',
    target,
    rawHeaders: ['Host', 'glacier.us-west-2.amazonaws.com', ...version],
    payloadSha256: emptyPayloadSha256,
    dateMs: Date.UTC(2017, 1, 10, 12),
    region: 'us-west-2',
    service: 'glacier',
    ...changes,
  };
}

const east = {
  rawHeaders: ['Host', 'glacier.us-east-1.amazonaws.com', ...version],
  region: 'us-east-1',
};
const west = request('').rawHeaders;
const welcomeSha256 = '726e392cb4d09924dbad1cc0ba3b00c3643d03d14cb4b823e2f041cff612a628';
const marker = 'arn%3Aaws%3Aglacier%3Aus-west-2%3A012345678901%3Avaults%2Fexamplevault1';

interface Vector {
  readonly name: string;
  readonly signed: SignedRequest;
  readonly payloadSha256?: string;
  readonly canonicalSha256: string;
  readonly signature: string;
}

/** The first two are printed in the developer guide; the others were checked with other signers. */
const vectors: readonly Vector[] = [
  {
    name: 'CreateVault, as the developer guide prints it',
    signed: sign(
      request('/-/vaults/examplevault', {
        ...east,
        method: 'PUT',
        dateMs: Date.UTC(2012, 4, 25, 0, 24, 53),
      }),
      credentials,
      hashes,
    ),
    canonicalSha256: '5f1da1a2d0feb614dd03d71e87928b8e449ac87614479332aced3a701f916743',
    signature: '3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a',
  },
  {
    name: 'UploadArchive, as the developer guide prints it',
    signed: sign(
      request('/-/vaults/examplevault/archives', {
        method: 'POST',
        rawHeaders: [...east.rawHeaders, 'x-amz-content-sha256', welcomeSha256],
        region: 'us-east-1',
        payloadSha256: welcomeSha256,
        dateMs: Date.UTC(2012, 4, 7),
      }),
      credentials,
      hashes,
    ),
    payloadSha256: welcomeSha256,
    canonicalSha256: 'f3df090abf5698dbe2230b41165a7b8991f9616ef67de13ac283577a02732819',
    signature: 'b092397439375d59119072764a1e9a144677c43d9906fd98a5742c57a2855de6',
  },
  {
    name: 'a JSON body whose hash no header names',
    signed: sign(
      request('/-/vaults/examplevault/tags?operation=add', {
        method: 'POST',
        rawHeaders: [...west, 'Content-Type', 'application/json'],
        payloadSha256: sha256Hex('{"Tags": {"id": "1234"}}'),
      }),
      credentials,
      hashes,
    ),
    payloadSha256: sha256Hex('{"Tags": {"id": "1234"}}'),
    canonicalSha256: 'afc6a783d5182cfae703d847a27ac11e11f6e1d69fce758c365dd73d94284fcd',
    signature: 'e960a17c9cbaed1544ff4844ab057d9170d5ba2bdd34901d2e4992b591099e90',
  },
  {
    name: 'a query with percent-encoding',
    signed: sign(request(`/-/vaults?limit=2&marker=${marker}`), credentials, hashes),
    canonicalSha256: '7042a721beb80aae7489f5054059c7c720cf85a461a02e0463b796d67e9f53fe',
    signature: 'c61f95b779ba413ff158de2c8373db7db44e8396088392aa675ae3ee3f3e7513',
  },
  {
    name: 'a header with two spaces in a row',
    signed: sign(
      request('/-/vaults/examplevault/multipart-uploads', {
        method: 'POST',
        rawHeaders: [...west, 'x-amz-archive-description', 'a  b', 'x-amz-part-size', '1048576'],
      }),
      credentials,
      hashes,
    ),
    canonicalSha256: 'bfef13e9cff0d7cc3e163211195d3e4d6dbe13c3659442ed58e39fd6d4e9d495',
    signature: '8d2a0e3383f121678a89edf9d0a37f7c581609239a21a9c1ac377707e9704f36',
  },
  {
    name: 'a presigned URL',
    signed: presign(
      {
        ...request('/-/vaults/examplevault', { rawHeaders: west.slice(0, 2) }),
        expiresSeconds: 600,
      },
      credentials,
      hashes,
    ),
    canonicalSha256: 'dabd88d832d1be346dedac34ff08b6fcd117f4466450f9e331424a3918a89050',
    signature: '71eac8740f9f53f389decb44b7ef069f4563663e47369fa42673c9249ca3f66a',
  },
  {
    name: 'a presigned URL that carries a signed header in its query',
    signed: presign(
      {
        ...request('/-/vaults/examplevault?x-amz-glacier-version=2012-06-01', {
          rawHeaders: west.slice(0, 2),
          signedHeaders: ['host', 'x-amz-glacier-version'],
        }),
        expiresSeconds: 600,
      },
      credentials,
      hashes,
    ),
    canonicalSha256: 'e8bdf546811a2c48d7b3a1a3844c8f818275c5992c912fd74bee9fa01dda4dc5',
    signature: '8e0634668c5a52523b4ad3bfe51b825f8856bf94f80a97f584ed815d8ea62699',
  },
  {
    name: 'a path with a percent sign, encoded twice',
    signed: sign(request('/-/vaults/a%20b'), credentials, hashes),
    canonicalSha256: '2c43c136b392d5332d6539d987f176a57656d342e90cd97ad924732301254a20',
    signature: 'beaf753c595d167b92079e71f3c44b8276e2d2adcb82fb124526e1a74435f170',
  },
];

for (const { name, signed, payloadSha256, canonicalSha256, signature } of vectors) {
  test(`${name} has the known canonical form and signature`, () => {
    const claim = readSignatureClaim(signed);
    const options = { payloadSha256: payloadSha256 ?? emptyPayloadSha256 };
    const [canonicalRequest = ''] = canonicalRequests(signed, claim, options);
    assert.equal(sha256Hex(bytesOf(canonicalRequest)), canonicalSha256);
    assert.equal(claim.signature, signature);
  });
}

test('the signing key of the published example is derived', () => {
  // AWS General Reference, "Examples of how to derive a signing key".
  const scope = {
    date: '20120215',
    region: 'us-east-1',
    service: 'iam',
    terminator: 'aws4_request',
  };
  assert.equal(
    toHex(deriveSigningKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', scope, hashes)),
    'f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d',
  );
});

test('a signed request names its signed headers in order, and no header of the connection', () => {
  const rawHeaders = [
    'X-B',
    '1',
    'User-Agent',
    'x',
    'Connection',
    'close',
    'Host',
    'h',
    'X-A',
    '2',
  ];
  const signed = sign(request('/', { rawHeaders }), credentials, hashes);
  const claim = readSignatureClaim(signed);
  assert.deepEqual(claim.signedHeaders, ['host', 'x-a', 'x-amz-date', 'x-b']);
});

test('temporary credentials sign their token, in a header or in the query', () => {
  const temporary = { ...credentials, sessionToken: 'to+ken/=' };
  const signed = readSignatureClaim(sign(request('/'), temporary, hashes));
  assert.equal(signed.sessionToken, 'to+ken/=');
  assert.ok(signed.signedHeaders.includes('x-amz-security-token'));

  const url = presign({ ...request('/'), expiresSeconds: 60 }, temporary, hashes);
  assert.equal(readSignatureClaim(url).sessionToken, 'to+ken/=');
});

test('the headers to sign can be named; the date is always among them', () => {
  const chosen = request('/', { signedHeaders: ['host'] });
  const claim = readSignatureClaim(sign(chosen, credentials, hashes));
  assert.deepEqual(claim.signedHeaders, ['host', 'x-amz-date']);
});

test('a header that was not written byte by byte is a defect', () => {
  const description = (text: string) =>
    request('/', { rawHeaders: [...west, 'x-amz-archive-description', text] });
  assert.throws(() => sign(description('雪'), credentials, hashes), { name: 'AssertionFailed' });
  sign(description(byteStringOf('雪')), credentials, hashes);
});
