import { builder } from './builder.ts';
import './event-queries.ts';
import './metrics-queries.ts';

builder.queryType({
  description: `What can be read: events with the scope \`events:read\`, totals with \`aggregates:read\`. Every read takes \`atLeast\`, to read what a send just wrote.

Once an API key was made, or a token issuer named, each operation asks for a credential: a header \`Authorization: Bearer KEY\` or \`X-API-Key: KEY\`, or a member of that name in the payload of \`connection_init\`, as a browser can send no header with a WebSocket.`,
});
