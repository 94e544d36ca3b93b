import type { Hub } from '../../../hub.ts';
import type { Asset } from './load-assets.ts';

/** The page around GraphiQL, with examples that can be sent as they are. */
export function renderPage(
  assets: ReadonlyMap<string, Asset>,
  eventTypes: Hub['eventTypes'],
): string {
  const url = (name: string) => `/graphql/assets/${name}?v=${assets.get(name)?.tag ?? ''}`;
  const [eventType = 'purchase'] = eventTypes.keys();
  const options = {
    title: 'Event Hub',
    logo: '<img src="/docs/assets/icon.svg" width="28" height="28" alt="">',
    endpoint: '/graphql',
    subscriptionsProtocol: 'WS',
    defaultTabs: [sendExample(eventType), queryExample, subscribeExample].map((query) => ({
      query,
    })),
    isHeadersEditorEnabled: true,
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Event Hub: GraphQL</title>
<link rel="icon" href="/favicon.ico">
<link rel="stylesheet" href="${url('graphiql.css')}">
<script id="options" type="application/json">${JSON.stringify(options).replaceAll('<', '\\u003c')}</script>
<script src="${url('graphiql.js')}" defer></script>
</head>
<body class="no-focus-outline">
<noscript>The playground needs JavaScript. The schema is in contracts/schema.graphql.</noscript>
<div id="root"></div>
</body>
</html>
`;
}

function sendExample(eventType: string): string {
  return `# Played twice, the second answer is "duplicate".
mutation Send {
  sendEvent(
    input: {
      id: "hello-graphql"
      userId: "u1"
      eventType: "${eventType}"
      amount: 150.75
      metadata: { source: "playground" }
    }
  ) {
    status
    id
    position
  }
}
`;
}

const queryExample = `# The latest events and the exact totals of an hour.
query Look {
  lastEvents(limit: 5) {
    id
    userId
    eventType
    amountExact
    currency
    timestamp
  }
  aggregatedMetrics(minutes: 60) {
    timeWindow
    eventCount
    totalAmountExact
    netAmountExact
    currency
    byType {
      eventType
      sign
      eventCount
      totalAmountExact
    }
  }
}
`;

const subscribeExample = `# All events, then new ones.
subscription Follow {
  eventStream(after: "start") {
    id
    userId
    eventType
    amountExact
    receivedAt
    position
  }
}
`;
