import { escapeHtml, html } from './html.ts';

export interface HomePageOptions {
  readonly version: string;
  readonly durability: string;
  /** As the browser reached it: `127.0.0.1:8000`. */
  readonly host: string;
  /** A configured type, for the examples. */
  readonly eventType: string;
}

/** What there is, and the first commands to try. */
export function homePage(options: HomePageOptions): Promise<string> {
  return html({ title: 'Event Hub', body: body(options) });
}

const links = [
  ['/docs', 'REST reference', 'Every call, with examples to send from the page'],
  ['/graphql', 'GraphQL playground', 'Queries, mutations and live subscriptions'],
  ['/openapi.json', 'OpenAPI document', 'For generated clients'],
  ['/docs/errors', 'Errors', 'Every code, and whether to retry'],
  ['/readyz?verbose', 'Health', 'What works, and how durable success is'],
  ['/metrics', 'Metrics', 'For Prometheus'],
] as const;

function body({ version, durability, host, eventType }: HomePageOptions): string {
  const cards = links.map(
    ([href, name, text]) =>
      `<li><a href="${href}"><strong>${name}</strong><span>${text}</span></a></li>`,
  );
  const [send, follow, totals] = commands(`http://${host}`, eventType).map(escapeHtml);
  return `<h1>Event Hub</h1>
<p class="lead">Takes money events, never loses one, never counts one twice. Version ${escapeHtml(version)}; an answer of success means: ${escapeHtml(durability)}.</p>
<ul class="cards">
${cards.join('\n')}
</ul>
<h2>Send an event</h2>
<pre><code>${send}</code></pre>
<p>Send it again: the answer is <code>duplicate</code>, and it is counted once.</p>
<h2>Follow events live</h2>
<pre><code>${follow}</code></pre>
<h2>Exact totals</h2>
<pre><code>${totals}</code></pre>`;
}

function commands(url: string, eventType: string): readonly [string, string, string] {
  const event = `{"id":"first-1","user_id":"user-1","event_type":"${eventType}","amount":"150.75","currency":"EUR"}`;
  return [
    `curl -i ${url}/events -H 'Content-Type: application/json' \\\n  -d '${event}'`,
    `curl -N '${url}/events/stream?after=start'`,
    `curl '${url}/aggregates?minutes=60'`,
  ];
}
