import { json, needs, open, problems, query, ref } from './parts.ts';

/** Probes and Prometheus. */
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
