import { readFileSync } from 'node:fs';
import type { Role } from '../../server/src/config/settings.ts';
import { type Child, startChild } from './child.ts';

const root = new URL('../../', import.meta.url);

export interface HubReady {
  readonly port: number;
  readonly grpc: string;
  /** Milliseconds from the start of node. */
  readonly readyMs: number;
}

/** What a hub runs on that is not embedded. */
export interface HubEngines {
  readonly log: string;
  readonly store: string;
  readonly roles: readonly Role[];
}

/** The hub in a process of its own, under the very flags of `npm start`, or on other engines under those of compose.yaml. */
export async function startHubChild(
  folder: string,
  engines?: HubEngines,
): Promise<Child & { readonly ready: HubReady }> {
  const { flags, env } = startCommand();
  const ownFlags = engines === undefined ? flags : composeFlags(engines.roles);
  const child = await startChild(
    new URL('./hub-process.ts', import.meta.url),
    engines === undefined ? [folder] : [folder, JSON.stringify(engines)],
    ownFlags,
    env,
  );
  return { ...child, ready: child.ready as HubReady };
}

function startCommand(): { flags: readonly string[]; env: Readonly<Record<string, string>> } {
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    readonly scripts: { readonly start: string };
  };
  const words = manifest.scripts.start.split(' ');
  const cache = words.find((word) => word.startsWith('NODE_COMPILE_CACHE='));
  const folder = new URL(cache?.split('=')[1] ?? '', root).pathname;
  return {
    flags: words.filter((word) => word.startsWith('--')),
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: folder },
  };
}

/** Of the service that has these roles, else those of all. */
function composeFlags(roles: readonly Role[]): readonly string[] {
  const compose = readFileSync(new URL('deploy/compose.yaml', root), 'utf8');
  const service = compose
    .split(/^ {2}(?=[\w-]+:$)/m)
    .find((part) => part.includes(`EVENT_HUB_ROLES: ${roles.join()}\n`));
  const options =
    /^ {6}NODE_OPTIONS: (.*)$/m.exec(service ?? '') ?? /^ {2}NODE_OPTIONS: (.*)$/m.exec(compose);
  if (options?.[1] === undefined) throw new Error('compose.yaml has no NODE_OPTIONS');
  return options[1].split(' ');
}
