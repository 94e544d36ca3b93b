import { errorCodes } from '../base/errors.ts';
import { errorTable } from './error-table.ts';

/** docs/errors.md, from the one table. */
export function renderErrorDocs(): string {
  return `# Errors

Generated from \`server/src/protocols/error-table.ts\` by \`npm run docs\`: change it there.

| code | meaning | HTTP | gRPC | retry |
|---|---|---|---|---|
${errorCodes.map(renderRow).join('\n')}

The code is the same on every protocol:

- **REST**: \`code\` of an RFC 9457 problem (\`application/problem+json\`). \`detail\` says what is wrong and what to
  do; \`errors\` lists each fault as \`{pointer, code, detail}\`; \`type\` leads to the row of this table that the
  hub serves at \`/docs/errors\`. A retry that makes sense comes with \`Retry-After\`.
- **GraphQL**: \`errors[].extensions.code\`.
- **gRPC**: the reason of \`google.rpc.ErrorInfo\`, with \`BadRequest\` for the faults and \`RetryInfo\` where a retry
  makes sense. On an ingest stream it is \`code\` of the event's own answer.

Each refusal names its request, by \`request_id\` in a problem document and \`X-Request-Id\` among the headers (with gRPC
the trailing metadata): the line of the hub's log has the same.

When the outcome is unknown, the answer names the ids, also those that the hub made: \`ids\` in REST,
\`extensions.ids\` in GraphQL, \`ErrorInfo.metadata.id\` in gRPC. Sending the same events with these ids again is
always safe. \`overloaded\` means surely not stored. \`position_gone\`, \`slow_reader\` and a stream that ends
with \`unavailable\` or \`unauthenticated\` name the \`position\` to resume from.
`;
}

function renderRow(code: (typeof errorCodes)[number]): string {
  const { title, http, grpcName, retry } = errorTable[code];
  return `| \`${code}\` | ${title} | ${http} | \`${grpcName}\` | ${retry} |`;
}
