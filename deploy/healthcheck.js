// What Docker asks a container of the hub, whatever its role: exit code 0 while
// the path is answered with success, `/readyz` when none is named. The image has
// no curl. Over TLS it asks its own container, so that no certificate needs to
// name 127.0.0.1; where clients must show one, it shows the hub's own.
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { get as secureGet } from 'node:https';

const { EVENT_HUB_TLS_CERT: cert, EVENT_HUB_TLS_KEY: key } = process.env;
const port = process.env.EVENT_HUB_HTTP_PORT || process.env.PORT || '8000';
const path = process.argv[2] ?? '/readyz';
const tls = cert && key ? { cert: readFileSync(cert), key: readFileSync(key) } : undefined;
const options = { host: '127.0.0.1', port, path, signal: AbortSignal.timeout(4000) };

const request = tls ? secureGet({ ...options, ...tls, rejectUnauthorized: false }) : get(options);
request.on('response', async (response) => {
  const text = (await response.toArray()).join('');
  process.stdout.write(`${response.statusCode} ${text}\n`);
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on('error', (reason) => {
  process.stdout.write(`${reason.message}\n`);
  process.exitCode = 1;
});
