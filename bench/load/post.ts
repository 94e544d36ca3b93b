import { type Agent, request } from 'node:http';

/** Posts to the hub's events; rejects when the answer is not 201. */
export function post(
  agent: Agent,
  port: number,
  contentType: string,
  body: Buffer | string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
    const options = { host: '127.0.0.1', port, path: '/events', method: 'POST', agent, headers };
    const sent = request(options, (response) => {
      if (response.statusCode !== 201) reject(new Error(`answered ${response.statusCode}`));
      response.resume();
      response.on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
