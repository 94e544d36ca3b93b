#!/usr/bin/env node
// Finds a Node.js that can run the hub as it is: this one, or the one that the
// package `node` brought. Plain JavaScript, because an old Node.js reads it too.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The sources where they are, else what `npm run build` made of them. */
const entry = ['../src/cli/event-hub.ts', '../dist/cli/event-hub.js']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(url));
const needed = [24, 17];

if (entry === undefined) {
  process.stderr.write('event-hub: the program is not there: run `npm run build`\n');
  process.exitCode = 2;
} else if (isNewEnough(process.versions.node)) await import(entry.href);
else {
  const binary = packagedNode();
  if (binary === undefined) {
    process.stderr.write(
      `event-hub needs Node.js ${needed.join('.')} or newer, and this is ${process.versions.node}: install it from https://nodejs.org, or run \`npm ci\`, which brings one\n`,
    );
    process.exitCode = 2;
  } else runWith(binary, fileURLToPath(entry));
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

function packagedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    const binary = join(dirname(manifest), 'bin', 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** The channel tells the hub when this process is gone, however it went. */
function runWith(binary, file) {
  const child = spawn(binary, [file, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of forwarded) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`event-hub could not start ${binary}: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0));
  });
}
