import { createServer } from 'node:http';
import { processorMs } from '../load/processor-time.ts';

/** The bare limit of a single POST: reads the body, parses the JSON, answers. Nothing is kept. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const event = JSON.parse(Buffer.concat(chunks).toString()) as { readonly id: string };
    const body = JSON.stringify({ status: 'success', id: event.id, position: '0000000000000001' });
    response.writeHead(201, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
process.on('message', () => process.send?.({ cpuMs: processorMs() }));
process.on('SIGTERM', () => process.exit(0));
