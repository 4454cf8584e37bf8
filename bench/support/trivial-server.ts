import { createServer } from 'node:net';

// Counts the bytes of each request and answers: what is left is what the load's generator can do.
const reply = Buffer.from('HTTP/1.1 201 Created\r\nContent-Length: 0\r\nLocation: /\r\n\r\n');

const server = createServer({ noDelay: true }, (socket) => {
  let missingSizeBytes = 0;
  socket.on('data', (chunk: Buffer) => {
    if (missingSizeBytes === 0) {
      const headSizeBytes = chunk.indexOf('\r\n\r\n') + 4;
      const head = chunk.toString('latin1', 0, headSizeBytes);
      missingSizeBytes = headSizeBytes + Number(/^Content-Length: (\d+)/im.exec(head)?.[1]);
    }
    missingSizeBytes -= chunk.length;
    if (missingSizeBytes === 0) socket.write(reply);
  });
  socket.on('error', () => socket.destroy());
});

server.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
