const image = { repository: 'registry.example/event-hub' };
const engines = {
  EVENT_HUB_LOG: { secret: 'engines', key: 'log' },
  EVENT_HUB_STORE: { secret: 'engines', key: 'store' },
};

/** What stands in the Secrets that the values name. */
export const secretTexts: Readonly<Record<string, string>> = {
  EVENT_HUB_LOG: 'redis://event-hub:a-password@redis:6379',
  EVENT_HUB_STORE: 'mongodb://event-hub:a-password@mongo/event_hub?replicaSet=rs0',
  EVENT_HUB_AUTH_SECRET: 'a secret that only the issuer and the hub know',
};

/** Values with which the chart must hold, by name. */
export const chartValues = {
  'embedded, as it comes': { image },
  'embedded, with much of its own': {
    mode: 'embedded',
    image: { ...image, digest: `sha256:${'a1'.repeat(32)}`, pullPolicy: 'Always' },
    imagePullSecrets: [{ name: 'registry' }],
    settings: { EVENT_HUB_DEFAULT_CURRENCY: 'EUR', EVENT_HUB_ALLOW_ANONYMOUS: 'true' },
    host: '::',
    embedded: { storage: { size: '100Gi', className: '1' } },
    metrics: { enabled: false },
    services: { http: { type: 'LoadBalancer', annotations: { 'example.com/kind': 'internal' } } },
    serviceAccount: { create: false },
    networkPolicy: { enabled: false },
    env: [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4318' }],
    podAnnotations: { 'example.com/team': 'money' },
    podLabels: { team: 'money' },
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'disk', operator: 'Exists' }],
    priorityClassName: 'high',
  },
  'servers, as they come': { mode: 'servers', image, secrets: engines },
  'servers, with much of their own': {
    mode: 'servers',
    image: { ...image, tag: '9.9.9' },
    secrets: { ...engines, EVENT_HUB_AUTH_SECRET: { secret: 'tokens', key: '256' } },
    settings: {
      EVENT_HUB_AUTH_ISSUER: 'https://issuer.example/realm',
      EVENT_HUB_AUTH_AUDIENCE: 'event-hub',
      EVENT_HUB_LOG_KEEP: '24h',
    },
    http: { replicas: 3, autoscaling: { enabled: false } },
    grpc: { autoscaling: { maxReplicas: 20 } },
    readers: { replicas: 1 },
    services: { grpc: { headless: true } },
    metrics: {
      port: 9100,
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    },
    networkPolicy: {
      clients: [{ namespaceSelector: { matchLabels: { team: 'shop' } } }],
      prometheus: [],
      egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
    },
    serviceAccount: { name: 'hub', annotations: { 'example.com/role': 'none' } },
    volumes: [{ name: 'ca', configMap: { name: 'ca' } }],
    volumeMounts: [{ name: 'ca', mountPath: '/etc/event-hub', readOnly: true }],
    affinity: { podAntiAffinity: {} },
  },
} as const;

interface FaultyValues {
  readonly name: string;
  readonly values: object;
  readonly why: RegExp;
}

/** Values that the chart refuses. */
export const faultyChartValues: readonly FaultyValues[] = [
  { name: 'no image', values: {}, why: /image\.repository: say where the image is/ },
  {
    name: 'servers without their URLs',
    values: { mode: 'servers', image },
    why: /secrets\.EVENT_HUB_LOG: the mode `servers` needs the URL/,
  },
  {
    name: 'servers with one URL',
    values: { mode: 'servers', image, secrets: { EVENT_HUB_LOG: engines.EVENT_HUB_LOG } },
    why: /secrets\.EVENT_HUB_STORE: the mode `servers` needs the URL/,
  },
  {
    name: 'URLs in the embedded mode',
    values: { image, secrets: engines },
    why: /secrets\.EVENT_HUB_LOG: the mode `embedded` keeps everything in its volume/,
  },
  { name: 'another mode', values: { mode: 'both', image }, why: /mode/ },
  { name: 'a value that there is not', values: { image, replicas: 3 }, why: /replicas/ },
  {
    name: 'a password among the settings',
    values: { image, settings: { EVENT_HUB_AUTH_SECRET: 'open to everybody' } },
    why: /EVENT_HUB_AUTH_SECRET/,
  },
  {
    name: 'a port of its own, to which no probe would come',
    values: { image, settings: { EVENT_HUB_HTTP_PORT: '80' } },
    why: /EVENT_HUB_HTTP_PORT/,
  },
  {
    name: 'a number that YAML might write in another way',
    values: { image, settings: { EVENT_HUB_RATE: 1_000_000 } },
    why: /EVENT_HUB_RATE/,
  },
  {
    name: 'a setting as a variable of another program',
    values: { image, env: [{ name: 'EVENT_HUB_ROLES', value: 'http' }] },
    why: /env/,
  },
  { name: 'metrics on the port of HTTP', values: { image, metrics: { port: 8000 } }, why: /port/ },
  {
    name: 'a monitor without metrics',
    values: { image, metrics: { enabled: false, serviceMonitor: { enabled: true } } },
    why: /metrics\.serviceMonitor: there is nothing to read/,
  },
];
