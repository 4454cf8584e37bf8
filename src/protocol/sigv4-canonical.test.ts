import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { byteStringOf, headersOf, type SignatureClaim } from './sigv4.ts';
import { canonicalRequests } from './sigv4-canonical.ts';

interface Shape {
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly signedHeaders?: readonly string[];
  readonly form?: SignatureClaim['form'];
  readonly publicNames?: readonly string[];
}

/** The canonical forms of a request, each as its lines. */
function formsOf(shape: Shape): readonly string[][] {
  const request = {
    method: 'GET',
    target: shape.target ?? '/',
    rawHeaders: shape.headers ?? ['Host', 'h'],
  };
  const claim = { form: shape.form ?? 'header', signedHeaders: shape.signedHeaders ?? ['host'] };
  const options = { payloadSha256: 'hash', publicNames: shape.publicNames ?? [] };
  return [...canonicalRequests(request, claim, options)].map((form) => form.split('\n'));
}

const pathsOf = (target: string) => formsOf({ target }).map((lines) => lines[1]);
const queriesOf = (target: string, form?: SignatureClaim['form']) =>
  formsOf({ target, ...(form && { form }) }).map((lines) => lines[2]);
const hostsOf = (host: string, publicNames: readonly string[]) =>
  formsOf({ headers: ['Host', host], publicNames }).map((lines) => lines[3]?.slice(5));
const foldingsOf = (value: string) =>
  formsOf({ headers: ['X', value], signedHeaders: ['x'] }).map((lines) => lines[3]?.slice(2));

test('the canonical form has the lines that the guide prescribes', () => {
  assert.deepEqual(
    formsOf({
      target: '/-/vaults?limit=1',
      headers: ['X-B', '2', 'hOST', 'h:1', 'X-A', '1', 'X-B', '3'],
      signedHeaders: ['host', 'x-a', 'x-b', 'x-c'],
    }),
    [
      [
        'GET',
        '/-/vaults',
        'limit=1',
        'host:h:1',
        'x-a:1',
        'x-b:2,3',
        'x-c:',
        '',
        'host;x-a;x-b;x-c',
        'hash',
      ],
    ],
  );
});

// biome-ignore format: a table reads best as a table
const paths: readonly [target: string, ...forms: string[]][] = [
  ['/',                         '/'],
  ['',                          '/', ''],
  ['/-/vaults/v_1.~x',          '/-/vaults/v_1.~x'],
  ['/-/vaults/',                '/-/vaults/'],
  ['/-/vaults/a%20b',           '/-/vaults/a%2520b', '/-/vaults/a%20b'],
  ['/-/vaults/testz:z',         '/-/vaults/testz%3Az', '/-/vaults/testz:z'],
  ['/-/vaults/%c3%a9',          '/-/vaults/%25c3%25a9', '/-/vaults/%c3%a9', '/-/vaults/%C3%A9'],
  ['/-/vaults/100%',            '/-/vaults/100%25', '/-/vaults/100%'],
  ['/-/vaults//x',              '/-/vaults/x', '/-/vaults//x'],
  ['/-/./vaults/../x/',         '/-/x/', '/-/./vaults/../x/'],
  ['/../..',                    '/', '/../..'],
];

for (const [target, ...forms] of paths) {
  test(`the path ${JSON.stringify(target)} may be signed as ${forms.join(' or ')}`, () => {
    assert.deepEqual(pathsOf(target), forms);
  });
}

// biome-ignore format: a table reads best as a table
const queries: readonly [query: string, ...forms: string[]][] = [
  ['',                          ''],
  ['limit=2&marker=x',          'limit=2&marker=x'],
  ['marker=x&limit=2',          'limit=2&marker=x'],
  ['operation',                 'operation='],
  ['limit=&marker=',            'limit=&marker='],
  ['&&a=1&',                    'a=1'],
  ['a=b=c',                     'a=b%3Dc'],
  ['a=2&a=1&A=3',               'A=3&a=1&a=2'],
  ['a-b=1&a=2',                 'a=2&a-b=1'],
  ['m=arn:aws/x',               'm=arn%3Aaws%2Fx'],
  ['m=arn%3aaws%2Fx',           'm=arn%3Aaws%2Fx'],
  ['m=%7e%41',                  'm=~A'],
  ['m=100%&n=%zz',              'm=100%25&n=%25zz'],
  ['m=a+b',                     'm=a%2Bb', 'm=a%20b'],
  ['m=a%2Bb',                   'm=a%2Bb'],
  ['m=\u00c3\u00a9',            'm=%C3%A9'],
  ['m=?',                       'm=%3F'],
];

for (const [query, ...forms] of queries) {
  test(`the query ${JSON.stringify(query)} may be signed as ${forms.join(' or ')}`, () => {
    assert.deepEqual(queriesOf(`/?${query}`), forms);
  });
}

test('the signature is no part of what a presigned URL signs, but of what a header signs', () => {
  const target = '/?X-Amz-Signature=s&X-Amz-Date=d&x-amz-signature=t';
  assert.deepEqual(queriesOf(target, 'query'), ['X-Amz-Date=d&x-amz-signature=t']);
  assert.deepEqual(queriesOf(target), ['X-Amz-Date=d&X-Amz-Signature=s&x-amz-signature=t']);
});

// biome-ignore format: a table reads best as a table
const foldings: readonly [value: string, ...forms: string[]][] = [
  ['plain',                     'plain'],
  ['a  b',                      'a b'],
  ['  a \t b\t',                'a b'],
  ['',                          ''],
  ['"a b"',                     '"a b"'],
  ['x  "a  b"  y',              'x "a b" y', 'x "a  b" y'],
  ['"a  b',                     '"a b'],
  ['a" "b  "c"',                'a" "b "c"'],
];

for (const [value, ...forms] of foldings) {
  test(`the header value ${JSON.stringify(value)} may be signed as ${forms.join(' or ')}`, () => {
    assert.deepEqual(foldingsOf(value), forms);
  });
}

test('a value beyond ASCII is signed byte by byte, its Unicode spaces folded or not', () => {
  assert.deepEqual(foldingsOf(byteStringOf('grün  blau')), [byteStringOf('grün blau')]);
  // The last byte of this letter is 0xA0, which alone would be a space of latin-1.
  assert.deepEqual(foldingsOf(byteStringOf('voilà')), [byteStringOf('voilà')]);
  assert.deepEqual(foldingsOf(byteStringOf('写真\u3000２')), [
    byteStringOf('写真\u3000２'),
    byteStringOf('写真 ２'),
  ]);
});

test('the host is taken as it came, in lower case, and as each public name', () => {
  assert.deepEqual(hostsOf('a:1', []), ['a:1']);
  assert.deepEqual(hostsOf('Glacier.Us-East-1.Example', []), [
    'Glacier.Us-East-1.Example',
    'glacier.us-east-1.example',
  ]);
  assert.deepEqual(hostsOf('127.0.0.1:8480', ['firn.example', 'other.example:443']), [
    '127.0.0.1:8480',
    'firn.example',
    'firn.example:8480',
    'other.example:443',
    'other.example',
  ]);
  assert.deepEqual(hostsOf('a', ['[::1]:8480']), ['a', '[::1]:8480', '[::1]']);
});

test('a query parameter stands for an absent x-amz- header, in presigned URLs only', () => {
  const shape = { target: '/?X-Amz-Part=a%20b&range=1', signedHeaders: ['range', 'x-amz-part'] };
  const [lines] = formsOf({ ...shape, form: 'query' });
  assert.deepEqual(lines?.slice(3, 5), ['range:', 'x-amz-part:a b']);
  assert.deepEqual(formsOf(shape)[0]?.slice(3, 5), ['range:', 'x-amz-part:']);
  const [sent] = formsOf({ ...shape, form: 'query', headers: ['x-amz-part', 'c'] });
  assert.deepEqual(sent?.slice(3, 5), ['range:', 'x-amz-part:c']);
});

test('a request of many readings has a bounded number of forms, no two alike', () => {
  const forms = formsOf({
    target: '/a%20b//%c3?x=1+2',
    headers: ['Host', 'H', 'x', '"a  b\u3000"\u00e3\u0080\u0080  c'],
    signedHeaders: ['host', 'x'],
    publicNames: ['a:1', 'b:2', 'c:3', 'd:4'],
  });
  assert.equal(forms.length, 64);
  assert.equal(new Set(forms.map((lines) => lines.join('\n'))).size, 64);
});

test('any request has a canonical form, and each form differs', () => {
  const text = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
  });
  const names = fc.array(text);
  fc.assert(
    fc.property(
      text,
      fc.array(text),
      names,
      names,
      (target, headers, signedHeaders, publicNames) => {
        const forms = formsOf({ target, headers, signedHeaders, publicNames });
        assert.ok(forms.length >= 1);
        assert.equal(new Set(forms.map((lines) => lines.join('\n'))).size, forms.length);
      },
    ),
  );
});

test('headers of the same name are joined in their order, whatever their case', () => {
  const headers = headersOf(['A', ' 1 ', 'b', '2', 'a', '\t3', '__proto__', 'x', 'odd']);
  assert.equal(headers.get('a'), '1,3');
  assert.equal(headers.get('b'), '2');
  assert.equal(headers.get('__proto__'), 'x');
  assert.equal(headers.get('odd'), undefined);
});
