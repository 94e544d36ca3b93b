import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { changelogSection } from '../scripts/changelog-section.ts';
import { version } from '../src/version.ts';
import { repository } from './support/source-files.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

describe('the section of a version', () => {
  const text =
    '# Changelog\n\n## Unreleased\n\n## 1.10.0 - 2026-12-01\n\n- Ten.\n\n## [1.1.0]\n- One.\n';

  it.each([
    ['1.10.0', '- Ten.'],
    ['1.1.0', '- One.'],
    ['Unreleased', ''],
    ['1.1', undefined],
    ['1.1.0 ', undefined],
  ])('of %j is %j', (wanted, found) => {
    expect(changelogSection(text, wanted)).toBe(found);
    expect(changelogSection(text.replaceAll('\n', '\r\n'), wanted)).toBe(found);
  });

  it('goes on through headings of lower rank and through code', () => {
    const body = '### Fixed\n\n```bash\n## not a heading\n```\n\n- More.';
    expect(changelogSection(`## 2.0.0\n\n${body}\n\n## 1.0.0\n- Old.\n`, '2.0.0')).toBe(body);
  });

  it('is what was written under it, whatever stands around', () => {
    const line = fc.constantFrom('- A change.', '### Added', '', '  more of it', '# no section');
    const body = fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => lines.join('\n'));
    const sections = fc.uniqueArray(fc.tuple(fc.stringMatching(/^\d{1,2}\.\d\.\d$/), body), {
      selector: ([name]) => name,
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(sections, (written) => {
        const changelog = written.map(([name, said]) => `## ${name}\n\n${said}\n\n`).join('');
        for (const [name, said] of written) {
          expect(changelogSection(`# Changelog\n\n${changelog}`, name)).toBe(said.trim());
        }
      }),
    );
  });
});

describe('the notes of a release', () => {
  const notes = `## Unreleased\n\n## ${version} - 2026-12-01\n\n- Everything.\n\n## 0.0.1\n\n- Old.\n`;

  it('are the section of the tag', () => {
    expect(notesOf(`v${version}`, { 'CHANGELOG.md': notes })).toEqual({
      status: 0,
      stdout: '- Everything.\n',
      stderr: '',
    });
  });

  it('are refused for a tag that is not the version of every manifest and of the chart', () => {
    const { status, stdout, stderr } = notesOf('v9.9.9', { 'CHANGELOG.md': notes });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    for (const name of ['package.json', 'server/package.json', 'version in', 'appVersion in']) {
      expect(stderr).toContain(name);
    }
    expect(stderr).toContain(`${version}, and the tag v9.9.9`);
  });

  it.each([
    ['## Unreleased\n\n- Everything.\n', `CHANGELOG.md has no heading "## ${version}"`],
    [`## ${version}\n\n## 0.0.1\n\n- Old.\n`, `CHANGELOG.md says nothing under "## ${version}"`],
  ])('are refused where the changelog says nothing: %j', (changelog, fault) => {
    const { status, stderr } = notesOf(`v${version}`, { 'CHANGELOG.md': changelog });
    expect(status).toBe(1);
    expect(stderr).toBe(`no release: ${fault}; see "How a release is made" in CONTRIBUTING.md\n`);
  });

  it('have a place to grow: the changelog begins with what is unreleased', () => {
    const changelog = readFileSync(join(repository, 'CHANGELOG.md'), 'utf8');
    expect(/^## (.*)$/m.exec(changelog)?.[1]).toBe('Unreleased');
    expect(changelogSection(changelog, 'Unreleased')).toBeDefined();
  });
});

/** What the script says in a checkout whose files are ours but for some. */
function notesOf(tag: string, others: Readonly<Record<string, string>>) {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  const needed = [
    'server/scripts/release-notes.ts',
    'server/scripts/changelog-section.ts',
    'package.json',
    'server/package.json',
    'deploy/helm/event-hub/Chart.yaml',
  ];
  for (const name of needed) cpSync(join(repository, name), join(folder.path, name));
  for (const [name, text] of Object.entries(others)) writeFileSync(join(folder.path, name), text);
  const script = join(folder.path, 'server/scripts/release-notes.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, tag], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
