import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// A yardstick: what `node:http` takes when the two hashes that the API wants of every body are
// computed, and nothing is checked or kept.
const server = createServer((request, response) => {
  const whole = createHash('sha256');
  const leaf = createHash('sha256');
  request.on('data', (chunk: Buffer) => {
    whole.update(chunk);
    leaf.update(chunk);
  });
  request.on('end', () => {
    response.writeHead(201, {
      'Content-Length': 0,
      'x-amz-archive-id': whole.digest('hex'),
      'x-amz-sha256-tree-hash': leaf.digest('hex'),
    });
    response.end();
  });
});

server.listen({ host: '127.0.0.1', port: 0 }, () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
