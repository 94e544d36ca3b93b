import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A program of the bench in a process of its own, that says when it is ready and answers one message with one. */
export interface Child {
  readonly process: ChildProcess;
  readonly ready: unknown;
  ask<T>(message: unknown): Promise<T>;
  stop(): Promise<void>;
}

/** `file` sends one message when it is ready, and one for each it is sent. */
export async function startChild(
  file: URL,
  args: readonly string[] = [],
  execArgv: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Child> {
  const child = fork(file, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...execArgv],
    env: { ...process.env, ...env },
    serialization: 'advanced',
  });
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`${file.pathname} ended with ${code} before it was ready`);
  });
  const [ready] = await Promise.race([once(child, 'message'), exited]);
  exited.catch(() => undefined);
  return {
    process: child,
    ready,
    ask: async <T>(message: unknown) => {
      const answer = once(child, 'message');
      child.send(message as object);
      return (await answer)[0] as T;
    },
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
