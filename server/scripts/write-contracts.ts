import { writeFile } from 'node:fs/promises';
import { printSdl } from '../src/protocols/graphql/schema/build-schema.ts';
import { printOpenApi } from '../src/protocols/rest/openapi/print-open-api.ts';
import { version } from '../src/version.ts';
import { asyncApiDocument } from './async-api.ts';
import { printYaml } from './print-yaml.ts';

/** `npm run contracts`: writes the checked-in contracts from the code that serves them. */
const contracts = {
  'asyncapi.yaml': () => printYaml(asyncApiDocument(version)),
  'openapi.json': () => printOpenApi(version),
  'schema.graphql': printSdl,
} satisfies Record<string, () => string | Promise<string>>;

for (const [name, print] of Object.entries(contracts)) {
  await writeFile(new URL(`../../contracts/${name}`, import.meta.url), await print());
}
