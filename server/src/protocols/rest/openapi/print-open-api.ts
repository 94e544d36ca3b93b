import { openApiDocument } from './document.ts';

/** `contracts/openapi.json`: the document of a hub with the default event types. */
export function printOpenApi(version: string): string {
  const document = openApiDocument({ version, eventTypes: ['purchase', 'return', 'refund'] });
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
