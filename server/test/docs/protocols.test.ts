import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparable, documentSteps } from '../support/document-steps.ts';
import { ReaderTerminals } from '../support/reader-terminals.ts';
import { findFiles } from '../support/source-files.ts';

const pages = findFiles('docs/protocols/*.md');

describe('docs/protocols', () => {
  it('has a page for each protocol, and one for the live feeds', () => {
    const names = ['graphql.md', 'grpc.md', 'live-feeds.md', 'rest.md'];
    expect(pages.map((path) => basename(path))).toEqual(names);
  });
});

describe.each(pages)('%s', (path) => {
  const steps = documentSteps(path);
  let terminals: ReaderTerminals;

  beforeAll(async () => {
    terminals = await ReaderTerminals.open();
  });
  afterAll(() => terminals?.close());

  it('shows what each of its commands prints', () => {
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.filter(({ expected }) => expected === undefined)).toEqual([]);
  });

  it.each(steps)('$command', async (step) => {
    if (!step.command.startsWith('curl -sN')) {
      const [printed, expected] = await terminals.follow(step);
      expect(printed).toBe(expected);
      return;
    }
    // It goes on for ever: what is shown is how it begins.
    const expected = comparable(step.expected ?? '');
    const live = terminals.start(step.command);
    const begins = live.saw((output) => {
      const seen = comparable(output);
      return seen.length >= expected.length && seen.slice(0, expected.length);
    });
    expect(await begins.finally(() => live.stop())).toBe(expected);
  });
});
