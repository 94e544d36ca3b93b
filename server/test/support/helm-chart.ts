import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './source-files.ts';

export const chartFolder = join(repository, 'deploy/helm/event-hub');

/** The oldest Kubernetes that Chart.yaml lets in, and the newest whose schemas are here. */
export const kubernetesVersions = { oldest: '1.30.0', newest: '1.37.0' };

export interface Rendering {
  /** Empty when helm refuses the values. */
  readonly text: string;
  /** What helm says is wrong. */
  readonly fault: string;
}

/** What `helm install hub -n events` would send, for values as in values.yaml. */
export function renderChart(helm: string, values: object): Rendering {
  const { status, stdout, stderr } = spawnSync(
    helm,
    ['template', 'hub', chartFolder, '-n', 'events', '-f', '-', ...forKubernetes],
    { input: JSON.stringify(values), encoding: 'utf8' },
  );
  return status === 0 ? { text: stdout, fault: '' } : { text: '', fault: stderr };
}

/** What `helm lint` finds; empty when nothing. */
export function lintChart(helm: string, values: object): string {
  const { status, stdout, stderr } = spawnSync(
    helm,
    ['lint', '--strict', chartFolder, '-f', '-', ...forKubernetes],
    { input: JSON.stringify(values), encoding: 'utf8' },
  );
  return status === 0 ? '' : `${stdout}${stderr}`;
}

const forKubernetes = ['--kube-version', kubernetesVersions.newest];

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: unknown;
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly grpc?: { readonly port: number };
}

export interface Volume {
  readonly name: string;
  readonly emptyDir?: object;
  readonly projected?: {
    readonly sources: readonly {
      readonly secret: {
        readonly name: string;
        readonly items: readonly { readonly key: string; readonly path: string }[];
      };
    }[];
  };
}

export interface PodSpec {
  readonly enableServiceLinks: boolean;
  readonly automountServiceAccountToken: boolean;
  readonly serviceAccountName: string;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: unknown;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly [Container];
  readonly volumes: readonly Volume[];
}

export type Labels = Readonly<Record<string, string>>;

/** As much of an object of Kubernetes as the tests look at. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Labels };
  readonly spec: {
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly selector?: Labels & { readonly matchLabels?: Labels };
    readonly podSelector?: { readonly matchLabels: Labels };
    readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
    readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
    readonly ports?: readonly { readonly name: string; readonly targetPort: string }[];
    readonly ingress?: readonly {
      readonly ports: readonly { readonly port: string }[];
      readonly from?: readonly object[];
    }[];
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    readonly endpoints?: readonly { readonly port: string }[];
    readonly [member: string]: unknown;
  };
}

/** What the image sets by itself, as deploy/Dockerfile says. */
export function imageEnvironment(): Readonly<Record<string, string>> {
  const text = readFileSync(join(repository, 'deploy/Dockerfile'), 'utf8');
  const set = text.slice(text.lastIndexOf('\nFROM ')).matchAll(/\b(EVENT_HUB_\w+)=(\S+)/g);
  return Object.fromEntries([...set].map(([, name, value]) => [name, value]));
}

/** Whether a selector finds what has these labels. */
export function finds(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** What an object starts, with the labels by which it is found. */
export interface Pod {
  readonly name: string;
  readonly kind: string;
  /** `http`, or `embedded`. */
  readonly role: string | undefined;
  readonly labels: Labels;
  readonly spec: PodSpec;
}

export function podsOf(objects: readonly KubernetesObject[]): readonly Pod[] {
  return objects.flatMap(({ kind, metadata, spec }) => {
    if (spec?.template === undefined) return [];
    const { labels } = spec.template.metadata;
    const role = labels['app.kubernetes.io/component'];
    return [{ name: metadata.name, kind, role, labels, spec: spec.template.spec }];
  });
}

export function withoutKind(text: string, kind: string): string {
  const documents = text.split(/^---$/m);
  return documents.filter((each) => !each.includes(`\nkind: ${kind}\n`)).join('---');
}
