import { mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { chartValues } from './support/chart-values.ts';
import { type KubernetesObject, podsOf, renderChart } from './support/helm-chart.ts';
import { describeWith } from './support/needed-program.ts';
import { parseYaml } from './support/read-yaml.ts';
import { startProgram } from './support/run-cli.ts';
import { repository } from './support/source-files.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** The container that the chart puts before the hub, as a shell runs it. */
describeWith('the wait for the first key', 'helm', (helm) => {
  describeWith('in a shell', 'python', (python) => {
    it('makes the file of an embedded hub, says how a key is made, and ends when there is one', async (context) => {
      const pod = podOf(context, 'embedded, as it comes');
      const waiting = pod.start();
      expect(await waiting.until(/waiting for the first API key/)).toContain(
        'kubectl exec -n events hub-event-hub-0 -c first-key -- event-hub keys create',
      );
      const made = await pod.run('event-hub keys create --name admin --scopes admin');
      expect(made.stdout).toMatch(/^eh_live_\S+\n$/);
      expect(await waiting.result).toMatchObject({ code: 0 });
      // With the next start of the pod there is nothing to wait for.
      expect(await pod.start().result).toEqual({ code: 0, stdout: '', stderr: '' });
    });

    it('ends when the pod is to end', async (context) => {
      const waiting = podOf(context, 'embedded, as it comes').start();
      await waiting.until(/waiting for the first API key/);
      waiting.process.kill('SIGTERM');
      expect(await waiting.result).toMatchObject({ code: 143 });
    });

    it('waits for a store that is away, since without it no key is known', async (context) => {
      const waiting = podOf(context, 'servers, as they come', {
        EVENT_HUB_LOG: 'redis://127.0.0.1:1',
        EVENT_HUB_STORE: 'mongodb://127.0.0.1:1/event_hub',
      }).start();
      await waiting.until(
        /MongoDB at 127\.0\.0\.1:1\/event_hub does not answer[\s\S]*does not answer/,
        'stderr',
      );
      waiting.process.kill('SIGTERM');
      expect(await waiting.result).toMatchObject({ code: 143, stdout: '' });
    });

    it.for(['embedded, as it comes', 'servers, as they come'] as const)(
      'ends with settings that cannot be used: %s',
      async (values, context) => {
        const pod = podOf(context, values, { EVENT_HUB_DEFAULT_CURRENCY: 'euro' });
        const { code, stderr } = await pod.start().result;
        expect(code).toBe(2);
        expect(stderr).toContain('EVENT_HUB_DEFAULT_CURRENCY');
      },
    );

    function podOf(
      context: TestContext,
      values: keyof typeof chartValues,
      env: Readonly<Record<string, string>> = {},
    ) {
      const objects = parseYaml(context, python, renderChart(helm, chartValues[values]).text);
      const [pod] = podsOf(objects as readonly KubernetesObject[]);
      const [shell = '', ...args] = pod?.spec.initContainers?.[0]?.command ?? [];
      const folder = temporaryFolder();
      onTestFinished(() => folder.remove());
      const data = join(folder.path, 'data');
      const bin = join(folder.path, 'bin');
      for (const path of [data, bin]) mkdirSync(path);
      symlinkSync(join(repository, 'server/bin/event-hub.js'), join(bin, 'event-hub'));
      const options = {
        folder: data,
        env: {
          PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
          HOSTNAME: 'hub-event-hub-0',
          EVENT_HUB_HTTP_HOST: '0.0.0.0',
          EVENT_HUB_HTTP_PORT: '0',
          EVENT_HUB_GRPC_PORT: '0',
          EVENT_HUB_LOG: `sqlite:${join(data, 'event-hub.db')}`,
          ...env,
        },
      };
      const local = args.map((text) => text.replaceAll('/data/', `${data}/`));
      return {
        start: () => startProgram(shell, local, options),
        run: (command: string) => startProgram(shell, ['-c', command], options).result,
      };
    }
  });
});
