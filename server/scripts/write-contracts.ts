import { writeFile } from 'node:fs/promises';
import { printSdl } from '../src/protocols/graphql/schema/build-schema.ts';
import { printOpenApi } from '../src/protocols/rest/openapi/print-open-api.ts';
import { version } from '../src/version.ts';

/** `npm run contracts`: writes the checked-in contracts from the code that serves them. */
const contracts = {
  'openapi.json': () => printOpenApi(version),
  'schema.graphql': printSdl,
} satisfies Record<string, () => string | Promise<string>>;

for (const [name, print] of Object.entries(contracts)) {
  await writeFile(new URL(`../../contracts/${name}`, import.meta.url), await print());
}
