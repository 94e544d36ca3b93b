/** Writes the documents that follow from the code. Tests compare them. */
import { writeFile } from 'node:fs/promises';
import { renderConfigDocs } from '../src/config/config-docs.ts';
import { renderErrorDocs } from '../src/protocols/error-docs.ts';

const documents = {
  'docs/config.md': renderConfigDocs,
  'docs/errors.md': renderErrorDocs,
};

for (const [path, render] of Object.entries(documents)) {
  await writeFile(new URL(`../../${path}`, import.meta.url), render());
}
