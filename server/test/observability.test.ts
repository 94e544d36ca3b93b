import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { freshName, sharedMongo, sharedRedis } from './support/engines/shared-engines.ts';
import { describeWith, describeWithEngines } from './support/needed-program.ts';
import { parseYaml, readYaml } from './support/read-yaml.ts';
import { get } from './support/rest-calls.ts';
import { repository } from './support/source-files.ts';
import { startTestHub } from './support/start-test-hub.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

interface Target {
  readonly expr: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly Target[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const alertsFile = 'deploy/prometheus/alerts.yml';
const alertsText = readFileSync(join(repository, alertsFile), 'utf8');
const dashboard = JSON.parse(
  readFileSync(join(repository, 'deploy/grafana/dashboards/event-hub.json'), 'utf8'),
) as { readonly uid: string; readonly panels: readonly Panel[] };
const shown = dashboard.panels.filter(({ type }) => type !== 'row');
const shownExpressions = shown.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** Names of metrics in an expression: what a hub shows begins so. */
function metricsIn(text: string): readonly string[] {
  return text.match(/\b(?:event_hub|nodejs|process)_[a-z0-9_]+/g) ?? [];
}

describe('the dashboard', () => {
  it('shows traffic, latency, lag, errors and money', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    for (const part of ['Traffic', 'Latency', 'Lag', 'Errors', 'Money (approximate)']) {
      expect(rows).toContain(part);
    }
  });

  it('has an expression in each panel, and no id twice', () => {
    expect(shown.filter(({ targets = [] }) => targets.length === 0)).toEqual([]);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says of every panel of money that it is approximate, where exact totals are, and never adds currencies', () => {
    const ofMoney = shown.filter(({ targets = [] }) =>
      targets.some(({ expr }) => expr.includes('event_hub_amounts_total')),
    );
    expect(ofMoney.length).toBeGreaterThan(0);
    for (const { title, description, targets = [] } of ofMoney) {
      expect(title).toContain('approximate');
      expect(description).toMatch(/^Approximate/);
      for (const { expr } of targets) expect(expr).toContain('by (event_type, currency)');
    }
    expect(ofMoney[0]?.description).toContain('/aggregates');
  });
});

describeWithEngines('what the dashboard and the alerts look at', ['redis', 'mongo'], () => {
  it('is on the page of a hub, in one of its roles', async () => {
    const engines = {
      log: `${await sharedRedis()}?stream=${freshName('events')}`,
      store: await sharedMongo(),
      metricsAmounts: true,
    };
    const pages: string[] = [];
    for (const role of ['http', 'grpc', 'readers'] as const) {
      const hub = await startTestHub({ ...engines, roles: new Set([role]) });
      onTestFinished(() => hub.remove());
      pages.push((await get(hub.url, '/metrics')).text);
    }
    const known = new Set<string>();
    for (const [, name = '', type] of pages.join('').matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      const parts = ['_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`);
      for (const each of type === 'histogram' ? parts : [name]) known.add(each);
    }
    const used = [...shownExpressions, alertsText].flatMap(metricsIn);
    expect(used.length).toBeGreaterThan(40);
    expect([...new Set(used)].filter((name) => !known.has(name))).toEqual([]);
  });
});

describeWith('the files for Prometheus', 'promtool', (promtool) => {
  const check = (...args: readonly string[]) =>
    execFileSync(promtool, ['check', ...args], { encoding: 'utf8', stdio: 'pipe' });

  it('are right by `promtool check`', () => {
    expect(check('rules', join(repository, alertsFile))).toContain('SUCCESS');
    const config = check('config', join(repository, 'deploy/prometheus/prometheus.yml'));
    expect(config).toContain('1 rule files found');
  });

  it('are joined by the expressions of the dashboard, which are PromQL', () => {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const rules = shownExpressions.map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h'),
    }));
    const file = join(folder.path, 'panels.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expect(check('rules', file)).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  it('have alerts that fire when they must, and not before', () => {
    const tests = join(repository, 'server/test/alerts.rules-test.yml');
    const said = execFileSync(promtool, ['test', 'rules', tests], { encoding: 'utf8' });
    expect(said).toContain('SUCCESS');
  });
});

describeWith('the alerts', 'python', (python) => {
  const rulesOf = (context: TestContext) => {
    const [file] = parseYaml(context, python, alertsText) as readonly {
      readonly groups: readonly { readonly rules: readonly Rule[] }[];
    }[];
    return file?.groups.flatMap(({ rules }) => rules) ?? [];
  };

  it('have each a severity, a summary and a section of docs/operate.md that names it', (context) => {
    const guide = readFileSync(join(repository, 'docs/operate.md'), 'utf8');
    const sections = new Map(
      guide.split(/^(?=#+ )/m).map((section) => [anchorOf(section), section] as const),
    );
    const rules = rulesOf(context);
    expect(rules.length).toBeGreaterThan(10);
    for (const { alert, labels, annotations } of rules) {
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\S/);
      const [file, anchor = ''] = (annotations.runbook ?? '').split('#');
      expect(file).toBe('docs/operate.md');
      expect(sections.get(anchor), `${alert}: no section ${anchor}`).toContain(`\`${alert}\``);
    }
  });

  it('are all tried by the tests of the rules', (context) => {
    const tried = readYaml(context, python, 'server/test/alerts.rules-test.yml') as {
      readonly tests: readonly {
        readonly promql_expr_test: readonly {
          readonly exp_samples: readonly { readonly labels: string }[];
        }[];
      }[];
    };
    const fired = tried.tests.flatMap(({ promql_expr_test }) =>
      promql_expr_test.flatMap(({ exp_samples }) => exp_samples.map(({ labels }) => labels)),
    );
    const alerts = rulesOf(context).map(({ alert }) => `{alertname="${alert}"}`);
    expect(fired.toSorted()).toEqual(alerts.toSorted());
  });
});

describeWith('the compose file of Prometheus and Grafana', 'python', (python) => {
  interface Service {
    readonly image?: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
    readonly [option: string]: unknown;
  }
  const read = (context: TestContext) =>
    readYaml(context, python, 'deploy/compose.observability.yaml') as {
      readonly name: string;
      readonly services: Readonly<Record<string, Service>>;
      readonly volumes: Readonly<Record<string, unknown>>;
    };
  const hubs = ['app', 'grpc-server', 'metrics-consumer'];

  it('goes over the other one: the same hub, with a port for metrics that is not published', (context) => {
    const { name, services } = read(context);
    expect(name).toBe('event-hub');
    expect(Object.keys(services)).toEqual([...hubs, 'prometheus', 'grafana']);
    for (const hub of hubs) {
      expect(services[hub]).toEqual({
        environment: {
          EVENT_HUB_METRICS_PORT: '9464',
          EVENT_HUB_METRICS_AMOUNTS: `\${EVENT_HUB_METRICS_AMOUNTS:-}`,
        },
      });
    }
  });

  it('publishes both on 127.0.0.1 alone, pinned, without rights, and asks for their health', (context) => {
    const { prometheus, grafana } = read(context).services;
    expect(prometheus?.ports).toEqual([`127.0.0.1:\${PROMETHEUS_PORT:-9090}:9090`]);
    expect(grafana?.ports).toEqual([`127.0.0.1:\${GRAFANA_PORT:-3000}:3000`]);
    for (const service of [prometheus, grafana]) {
      expect(service?.image).toMatch(/^[a-z]+\/[a-z]+:v?\d+\.\d+\.\d+$/);
      expect(service?.restart).toBe('unless-stopped');
      expect(service?.read_only).toBe(true);
      expect(service?.cap_drop).toEqual(['ALL']);
      expect(service?.security_opt).toEqual(['no-new-privileges:true']);
      expect(service?.healthcheck).toHaveProperty('test');
    }
  });

  it('lets Prometheus scrape the port of every hub', (context) => {
    const { scrape_configs } = readYaml(context, python, 'deploy/prometheus/prometheus.yml') as {
      readonly scrape_configs: readonly {
        readonly job_name: string;
        readonly static_configs: readonly { readonly targets: readonly string[] }[];
      }[];
    };
    const targets = scrape_configs.flatMap(({ static_configs }) =>
      static_configs.flatMap((each) => each.targets),
    );
    expect(targets).toEqual(hubs.map((hub) => `${hub}:9464`));
    // Some of the alerts are for this job.
    expect(scrape_configs.map(({ job_name }) => job_name)).toEqual(['event-hub']);
  });

  it('gives Grafana the dashboard where its provisioning looks, and Prometheus as the source', (context) => {
    const { services, volumes } = read(context);
    const folder = '/etc/event-hub/dashboards';
    expect(services.grafana?.volumes).toContain(`./grafana/dashboards:${folder}:ro`);
    expect(services.grafana?.volumes).toContain(
      './grafana/provisioning:/etc/grafana/provisioning:ro',
    );
    expect(services.prometheus?.volumes).toContain('./prometheus:/etc/prometheus:ro');
    expect(Object.keys(volumes)).toEqual(['hub_prometheus', 'hub_grafana']);
    const provisioned = 'deploy/grafana/provisioning';
    expect(readYaml(context, python, `${provisioned}/dashboards/event-hub.yaml`)).toMatchObject({
      providers: [{ type: 'file', options: { path: folder } }],
    });
    expect(readYaml(context, python, `${provisioned}/datasources/prometheus.yaml`)).toMatchObject({
      datasources: [{ type: 'prometheus', url: 'http://prometheus:9090' }],
    });
  });
});

/** As GitHub makes it of the heading that a section begins with. */
function anchorOf(section: string): string {
  const [heading = ''] = section.split('\n', 1);
  return heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
