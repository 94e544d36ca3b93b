import { once } from 'node:events';
import { watch } from 'node:fs';
import { type CliResult, startCli } from '../../support/run-cli.ts';

/** Signals a command that has begun to write into `folder`; one that was done before is undone and run again. */
export async function endAmid(
  signal: 'SIGINT' | 'SIGKILL',
  args: readonly string[],
  { folder, undo }: { readonly folder: string; readonly undo: () => void },
): Promise<CliResult> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const watching = watch(folder);
    const appeared = once(watching, 'change');
    const running = startCli(args);
    await appeared;
    running.process.kill(signal);
    watching.close();
    const result = await running.result;
    if (result.code !== 0) return result;
    undo();
  }
  throw new Error(`${args[0]} was done each time before ${signal} came`);
}
