import { readFileSync } from 'node:fs';
import { changelogSection } from './changelog-section.ts';

/**
 * `node server/scripts/release-notes.ts v1.2.3`: prints what CHANGELOG.md says of the version of a tag.
 * Exit code 1, with what to do, when the tag is not the version of all that carries one, or nothing is said of it.
 */
const tag = process.argv[2] ?? '';
const version = tag.replace(/^v/, '');
const faults = carriers()
  .filter(({ has }) => has !== version)
  .map(({ name, has }) => `${name} says ${has}, and the tag ${tag}`);
const notes = changelogSection(read('CHANGELOG.md'), version);
if (notes === undefined) faults.push(`CHANGELOG.md has no heading "## ${version}"`);
else if (notes === '') faults.push(`CHANGELOG.md says nothing under "## ${version}"`);
if (faults.length === 0) process.stdout.write(`${notes}\n`);
else {
  process.stderr.write(
    `no release: ${faults.join('; ')}; see "How a release is made" in CONTRIBUTING.md\n`,
  );
  process.exitCode = 1;
}

/** Whatever names the version of the hub. */
function carriers(): readonly { readonly name: string; readonly has: string }[] {
  const manifests = ['package.json', 'server/package.json'].map((name) => ({
    name,
    has: (JSON.parse(read(name)) as { readonly version: string }).version,
  }));
  const name = 'deploy/helm/event-hub/Chart.yaml';
  const inChart = ['version', 'appVersion'].map((field) => ({
    name: `${field} in ${name}`,
    has: new RegExp(`^${field}: "?([^"\\s]+)`, 'm').exec(read(name))?.[1] ?? 'nothing',
  }));
  return [...manifests, ...inChart];
}

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}
