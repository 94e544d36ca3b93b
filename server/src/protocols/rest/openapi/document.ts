import { aggregatePaths } from './aggregate-paths.ts';
import { answerSchemas } from './answer-schemas.ts';
import { errorResponses } from './error-responses.ts';
import { eventPaths } from './event-paths.ts';
import { eventSchemas } from './event-schemas.ts';
import { createExamples } from './examples.ts';
import { healthPaths } from './health-paths.ts';
import { securitySchemes } from './parts.ts';
import { streamPaths } from './stream-path.ts';

export interface DocumentOptions {
  readonly version: string;
  /** The configured types, in order. */
  readonly eventTypes: readonly string[];
}

/** The REST API as an OpenAPI 3.1 document; `contracts/openapi.json` is its printed form for the default types. */
export function openApiDocument({ version, eventTypes }: DocumentOptions) {
  const examples = createExamples(eventTypes);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Event Hub',
      version,
      description: introduction,
      license: { name: 'MIT' },
    },
    servers: [{ url: '/', description: 'This hub' }],
    tags: [
      { name: 'Events', description: 'Send events, list them, follow them live.' },
      { name: 'Aggregates', description: 'Exact totals of any window of time.' },
      { name: 'Health', description: 'For probes, Prometheus and operators.' },
    ],
    paths: {
      ...eventPaths(examples),
      ...streamPaths(),
      ...aggregatePaths(),
      ...healthPaths(),
    },
    components: {
      schemas: { ...eventSchemas(eventTypes), ...answerSchemas() },
      responses: errorResponses(),
      securitySchemes: securitySchemes(),
    },
  };
}

const introduction = `Takes money events, never loses one, never counts one twice.

- An answer of **success** means: durable on disk.
- Every event has an \`id\`. Sent twice, it is answered \`duplicate\`: **a retry with the same id is always safe.** The same id with other content is a conflict, and the first stays.
- Amounts go out as exact decimal strings, times as UTC with milliseconds.
- Once an API key was made, or a token issuer named, every call but the health checks asks for a credential with the scope that it names.
- Failures are problem documents (RFC 9457) with a stable \`code\`; [this page](/docs/errors) lists them.

The examples can be sent as they are. Send one twice to see \`duplicate\`. The other pages of this hub are listed [here](/).`;
