import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import {
  css,
  editorWorkerService,
  graphqlWorker,
  js,
  jsonWorker,
} from '@graphql-yoga/render-graphiql/graphiql';
import type { PostedAsset } from './load-assets.ts';

/**
 * Runs in a thread. The package's own page has all of this inline; the hub's
 * pages run no inline scripts, so that a text from outside can never be one.
 */
const script = 'text/javascript; charset=utf-8';
const assets = [
  pack('graphiql.css', 'text/css; charset=utf-8', css + own('playground.css')),
  pack('graphiql.js', script, [own('environment.js'), js, own('start.js')].join('\n')),
  // By the labels that the editor asks for.
  pack('editorWorkerService.js', script, editorWorkerService),
  pack('json.js', script, jsonWorker),
  pack('graphql.js', script, graphqlWorker),
];
parentPort?.postMessage(
  assets,
  assets.map(({ zipped }) => zipped.buffer),
);

function pack(
  name: string,
  contentType: string,
  content: string,
): PostedAsset & { readonly zipped: Uint8Array<ArrayBuffer> } {
  const tag = createHash('sha256').update(content).digest('hex').slice(0, 16);
  // A copy: only a buffer that is shared with nobody can be handed over.
  return { name, contentType, zipped: new Uint8Array(gzipSync(content)), tag };
}

function own(file: string): string {
  return readFileSync(join(import.meta.dirname, 'assets', file), 'utf8');
}
