/** Writes the documents that follow from the code. Tests compare them. */
import { writeFile } from 'node:fs/promises';
import { renderConfigDocs } from '../src/config/config-docs.ts';

const documents = {
  'docs/config.md': renderConfigDocs,
};

for (const [path, render] of Object.entries(documents)) {
  await writeFile(new URL(`../../${path}`, import.meta.url), render());
}
