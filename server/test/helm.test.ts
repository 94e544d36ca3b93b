import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { limits } from '../src/base/limits.ts';
import { declaredSettings } from '../src/config/declared-settings.ts';
import { loadSettings } from '../src/config/load.ts';
import { roles } from '../src/config/settings.ts';
import { version } from '../src/version.ts';
import { chartValues, faultyChartValues, secretTexts } from './support/chart-values.ts';
import {
  type Container,
  chartFolder,
  finds,
  imageEnvironment,
  type KubernetesObject,
  kubernetesVersions,
  lintChart,
  type Pod,
  podsOf,
  renderChart,
  withoutKind,
} from './support/helm-chart.ts';
import { describeWith } from './support/needed-program.ts';
import { parseYaml } from './support/read-yaml.ts';

const cases = Object.entries(chartValues).map(([name, values]) => ({ name, values }));

describe('the chart', () => {
  const chart = readFileSync(join(chartFolder, 'Chart.yaml'), 'utf8');

  it('has the version of the hub, and needs the oldest Kubernetes that is looked at', () => {
    expect(/^version: (.*)$/m.exec(chart)?.[1]).toBe(version);
    expect(/^appVersion: "(.*)"$/m.exec(chart)?.[1]).toBe(version);
    expect(chart).toContain(`kubeVersion: ">=${kubernetesVersions.oldest}-0"`);
  });

  it('takes from a Secret whatever may hold a password, and nothing else', () => {
    const schema = JSON.parse(readFileSync(join(chartFolder, 'values.schema.json'), 'utf8'));
    const secret = declaredSettings.filter((each) => each.secret !== false);
    expect([...schema.properties.secrets.propertyNames.enum].sort()).toEqual(
      secret.map(({ env }) => env).sort(),
    );
  });
});

describeWith('the chart with helm', 'helm', (helm) => {
  it.each(cases)('is without fault: $name', ({ values }) => {
    expect(lintChart(helm, values)).toBe('');
  });

  it.each(faultyChartValues)('refuses $name, and says why', ({ values, why }) => {
    expect(renderChart(helm, values)).toEqual({ text: '', fault: expect.stringMatching(why) });
  });

  describeWith('and Kubernetes', 'kubernetes-validate', (validate) => {
    const said = (text: string, ...options: readonly string[]) => {
      const args = ['--strict', '--quiet', ...options, '-'];
      const { status, stdout, stderr } = spawnSync(validate, args, {
        input: text,
        encoding: 'utf8',
      });
      return { status, said: `${stdout}${stderr}` };
    };

    it.each(cases)('agree on what it renders: $name', ({ values }) => {
      // The kind of another project, which Kubernetes does not know by itself.
      const text = withoutKind(renderChart(helm, values).text, 'ServiceMonitor');
      expect(text).toContain('kind: Service\n');
      for (const each of Object.values(kubernetesVersions)) {
        expect(said(text, '-k', each), each).toEqual({ status: 0, said: '' });
      }
    });

    it('do not agree where a member is misspelt', () => {
      const { text } = renderChart(helm, chartValues['embedded, as it comes']);
      const wrong = said(text.replace('enableServiceLinks', 'enableServiceLink'));
      expect(wrong.status).not.toBe(0);
      expect(wrong.said).toContain('enableServiceLink');
    });
  });

  describeWith('rendered', 'python', (python) => {
    const rendered = new Map<object, readonly KubernetesObject[]>();
    const objectsOf = (context: TestContext, values: object) => {
      const known = rendered.get(values);
      if (known !== undefined) return known;
      const { text, fault } = renderChart(helm, values);
      expect(fault).toBe('');
      const objects = parseYaml(context, python, text) as readonly KubernetesObject[];
      rendered.set(values, objects);
      return objects;
    };

    it('is one pod with a volume, or a deployment for each role', (context) => {
      const namesOf = (values: object) =>
        podsOf(objectsOf(context, values)).map(({ kind, name }) => `${kind} ${name}`);
      expect(namesOf(chartValues['embedded, as it comes'])).toEqual(['StatefulSet hub-event-hub']);
      expect(namesOf(chartValues['servers, as they come']).sort()).toEqual(
        roles.map((role) => `Deployment hub-event-hub-${role}`).sort(),
      );
    });

    it.for(cases)('names every object once: $name', ({ values }, context) => {
      const names = objectsOf(context, values).map(
        ({ kind, metadata }) => `${kind} ${metadata.name}`,
      );
      expect(names).toEqual([...new Set(names)]);
    });

    it.for(cases)(
      'gives its pods settings with which a hub starts: $name',
      ({ values }, context) => {
        const { settings: given = {} } = values as { settings?: Readonly<Record<string, string>> };
        for (const pod of podsOf(objectsOf(context, values))) {
          for (const container of containersOf(pod)) {
            const { settings, warnings, values: held } = settingsOf(pod, container);
            expect(warnings).toEqual([]);
            expect([...settings.roles]).toEqual(pod.kind === 'StatefulSet' ? roles : [pod.role]);
            for (const [name, text] of Object.entries(given)) {
              expect(held.find(({ setting }) => setting.env === name)?.text).toBe(text);
            }
          }
        }
      },
    );

    it.for(cases)('asks the ports on which the pods listen: $name', ({ values }, context) => {
      const objects = objectsOf(context, values);
      for (const pod of podsOf(objects)) {
        const [hub] = pod.spec.containers;
        const { settings } = settingsOf(pod, hub);
        const ports = Object.fromEntries(
          (hub.ports ?? []).map((port) => [port.name, port.containerPort]),
        );
        expect(ports).toEqual({
          http: settings.http.port,
          ...(settings.roles.has('grpc') ? { grpc: settings.grpc.port } : {}),
          ...(settings.metrics === undefined ? {} : { metrics: settings.metrics.port }),
        });
        for (const probe of [hub.startupProbe, hub.livenessProbe]) {
          expect(probe.httpGet).toEqual({ path: '/livez', port: 'http' });
        }
        expect(hub.readinessProbe).toMatchObject(
          pod.role === 'grpc'
            ? { grpc: { port: settings.grpc.port } }
            : { httpGet: { path: '/readyz', port: 'http' } },
        );
      }
    });

    it.for(cases)('leads to ports that the pods have: $name', ({ values }, context) => {
      const objects = objectsOf(context, values);
      const pods = podsOf(objects);
      const behind = (labels: Readonly<Record<string, string>>) =>
        pods.filter((pod) => finds(labels, pod.labels));
      for (const { kind, metadata, spec } of objects) {
        const named =
          kind === 'Service'
            ? (spec.ports ?? []).map(({ targetPort }) => targetPort)
            : (spec?.ingress ?? []).flatMap(({ ports }) => ports.map(({ port }) => port));
        const selector =
          kind === 'Service' ? spec.selector : (spec?.podSelector ?? spec?.selector)?.matchLabels;
        if (selector === undefined || kind === 'ServiceMonitor') continue;
        const found = behind(selector as Readonly<Record<string, string>>);
        expect(found.length, `${kind} ${metadata.name}`).toBeGreaterThan(0);
        for (const { name, spec: pod } of found) {
          const has = (pod.containers[0].ports ?? []).map((port) => port.name);
          expect(has, `${kind} ${metadata.name}: ${name}`).toEqual(expect.arrayContaining(named));
        }
      }
    });

    it.for(cases)(
      'has a budget and a scaler only of what is there: $name',
      ({ values }, context) => {
        const objects = objectsOf(context, values);
        const deployments = objects.filter(({ kind }) => kind === 'Deployment');
        const names = deployments.map(({ metadata }) => metadata.name).sort();
        const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
        expect(budgets.map(({ metadata }) => metadata.name).sort()).toEqual(names);
        const scaled = objects.flatMap(({ spec }) => spec?.scaleTargetRef?.name ?? []);
        // A number beside a scaler would undo its work at each upgrade.
        const counted = deployments.filter(({ spec }) => spec.replicas !== undefined);
        expect([...scaled, ...counted.map(({ metadata }) => metadata.name)].sort()).toEqual(names);
        expect(scaled.filter((name) => name.endsWith('readers'))).toEqual([]);
      },
    );

    it.for(cases)('gives its pods no right that they do not need: $name', ({ values }, context) => {
      const objects = objectsOf(context, values);
      for (const pod of podsOf(objects)) {
        expect(pod.spec).toMatchObject({
          enableServiceLinks: false,
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            fsGroup: 1000,
            seccompProfile: { type: 'RuntimeDefault' },
          },
        });
        for (const container of containersOf(pod)) {
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          const writable = container.volumeMounts.map(({ mountPath }) => mountPath);
          expect(writable).toEqual(expect.arrayContaining(['/tmp', '/data']));
        }
      }
      for (const account of objects.filter(({ kind }) => kind === 'ServiceAccount')) {
        expect(account).toMatchObject({ automountServiceAccountToken: false });
      }
    });

    it.for(cases)('knows Secrets by their names alone: $name', ({ values }, context) => {
      const objects = objectsOf(context, values);
      expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
      const { secrets = {} } = values as { secrets?: Readonly<Record<string, object>> };
      const wanted = Object.entries(secrets).sort();
      for (const pod of podsOf(objects)) {
        const mounted = pod.spec.volumes.flatMap(({ projected }) => projected?.sources ?? []);
        const found = mounted.flatMap(({ secret: { name, items } }) =>
          items.map(({ key, path }) => [path, { secret: name, key }]),
        );
        expect(found.sort()).toEqual(wanted);
      }
    });

    it.for(cases)('gives the hub the time that it needs to end: $name', ({ values }, context) => {
      for (const { spec } of podsOf(objectsOf(context, values))) {
        const waitsMs = (spec.containers[0].lifecycle?.preStop.sleep.seconds ?? 0) * 1000;
        expect(spec.terminationGracePeriodSeconds).toBe(20);
        expect(spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(waitsMs + limits.stopMs);
      }
    });

    it('lets Prometheus read each pod once', (context) => {
      const objects = objectsOf(context, chartValues['servers, with much of their own']);
      const [monitor] = objects.filter(({ kind }) => kind === 'ServiceMonitor');
      const read = objects.filter(
        ({ kind, metadata, spec }) =>
          kind === 'Service' &&
          finds(monitor?.spec.selector?.matchLabels ?? {}, metadata.labels) &&
          spec.ports?.some(({ name }) => name === monitor?.spec.endpoints?.[0]?.port),
      );
      expect(read.map(({ metadata }) => metadata.name)).toEqual(['hub-event-hub-pods']);
    });

    it('waits for the first key, unless tokens or everybody come in', (context) => {
      const waiting = cases
        .filter(({ values }) =>
          podsOf(objectsOf(context, values)).every(({ spec }) => spec.initContainers?.length === 1),
        )
        .map(({ name }) => name);
      expect(waiting).toEqual(['embedded, as it comes', 'servers, as they come']);
    });
  });
});

function containersOf({ spec }: Pod): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** As the hub in the container would read them, with what the image sets and the Secrets hold. */
function settingsOf({ spec }: Pod, { env, volumeMounts }: Container) {
  const place = volumeMounts.find(({ name }) => name === 'secrets')?.mountPath;
  const sources = spec.volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const mounted = sources.flatMap(({ secret }) => secret.items.map(({ path }) => path));
  return loadSettings({
    argv: [],
    env: {
      ...imageEnvironment(),
      ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
    },
    file: undefined,
    workingFolder: '/data',
    readText: (path) => {
      const name = mounted.find((each) => path === `${place}/${each}`);
      if (name === undefined) throw new Error(`${path} is not mounted`);
      return secretTexts[name] ?? '';
    },
  });
}
