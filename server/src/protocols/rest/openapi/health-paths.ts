import { always, json, needs, open, problems, query, ref } from './parts.ts';

/** Probes, Prometheus and what an operator changes while the process runs. */
export function healthPaths() {
  return {
    '/livez': {
      get: {
        tags: ['Health'],
        operationId: 'getLiveness',
        ...open,
        summary: 'Whether the process runs',
        responses: { 200: json('It runs.', live) },
      },
    },
    '/readyz': { get: readiness('getReadiness', 'Whether events are taken, and how durably') },
    '/healthz': { get: readiness('getHealth', 'The same as /readyz') },
    '/metrics': {
      get: {
        tags: ['Health'],
        operationId: 'getMetrics',
        ...needs('metrics:read'),
        summary: 'Counters for Prometheus',
        responses: {
          ...problems('unreadable', 'unauthenticated', 'forbidden', 'unavailable'),
          200: {
            description: "The text format of Prometheus; the hub's own begin with `event_hub_`.",
            content: { 'text/plain': { schema: { type: 'string' } } },
          },
        },
      },
    },
    '/log-level': {
      get: {
        tags: ['Health'],
        operationId: 'getLogLevel',
        ...needs('admin'),
        summary: 'How much this process writes to its log',
        responses: { ...problems(...always), 200: json('The level.', ref('LogLevel')) },
      },
      put: {
        tags: ['Health'],
        operationId: 'changeLogLevel',
        ...needs('admin'),
        summary: 'Change that, for a while or until the next start',
        description:
          'Holds for all lines of this process from now on, and for no other process. A hub that is open to others takes it from nobody without a credential.',
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: ref('LogLevelChange'),
              example: { level: 'debug', for: '10m' },
            },
          },
        },
        responses: {
          ...problems(...always, 'too_large', 'unsupported_media_type'),
          200: json('The level as it is now.', ref('LogLevel')),
        },
      },
    },
  };
}

const live = { type: 'object', required: ['status'], properties: { status: { const: 'ok' } } };

function readiness(operationId: string, summary: string) {
  return {
    tags: ['Health'],
    operationId,
    ...open,
    summary,
    parameters: [query('verbose', { type: 'boolean' }, 'A line of text for each part.')],
    responses: {
      200: json('Ready.', ref('Health')),
      503: json('Not ready: the failing part says why.', ref('Health')),
    },
  };
}
