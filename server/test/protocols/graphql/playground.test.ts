import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openIsolatedPage } from '../../support/browser.ts';
import { describeWith } from '../../support/needed-program.ts';
import { get } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { sendPurchases } from './graphql-calls.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub?.remove());

describeWith('the playground in a browser', 'chromium', (chromium) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser(chromium);
  });
  afterAll(() => browser?.close());

  it('sends, reads and follows with the network cut off', async () => {
    const { page, faults } = await openIsolatedPage(browser, hub.url);
    await page.goto(`${hub.url}/graphql`);
    const answer = page.locator('.graphiql-response');
    await page.getByRole('tab', { name: 'Send' }).waitFor();
    await play(page, 'mutation Send');
    await answer.getByText('"success"').waitFor();
    await openTab(page, 'Look', 'query Look');
    await play(page, 'query Look');
    await answer.getByText('"lastEvents"').waitFor();
    await openTab(page, 'Follow', 'subscription Follow');
    await play(page, 'subscription Follow');
    await answer.getByText('"eventStream"').waitFor();
    await answer.getByText('"hello-graphql"').waitFor();
    await sendPurchases(hub.url, 1, 'live-user');
    await answer.getByText('"live-user"').waitFor();
    expect(faults).toEqual([]);
    expect((await get(hub.url, '/events/hello-graphql')).json.amount).toBe('150.75');
  }, 120_000);
});

/**
 * Opens a tab, and waits until GraphiQL has kept which one is open. It reads what
 * can be played in a tab a moment after showing it, and keeps the tab later than that.
 */
async function openTab(page: Page, name: string, text: string): Promise<void> {
  const shown = page.locator('.graphiql-query-editor').getByText(text);
  // Tabs move while they are laid out, and a click beside one opens nothing.
  await expect
    .poll(async () => {
      await page.getByTitle(name, { exact: true }).click();
      return shown.isVisible();
    })
    .toBe(true);
  await expect.poll(() => page.evaluate(titleOfKeptTab)).toBe(name);
}

const titleOfKeptTab = `(() => {
  const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem('graphiql:tabState'));
  return tabs[activeTabIndex].title;
})()`;

async function play(page: Page, text: string): Promise<void> {
  await page.locator('.graphiql-query-editor').getByText(text).waitFor();
  await page.locator('.graphiql-execute-button').click();
}

describe('the page of the playground', () => {
  const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

  it("allows no scripts but the hub's own files", async () => {
    const { status, headers, text } = await get(hub.url, '/graphql', html);
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(text).toContain('<title>Event Hub');
    expect(text).not.toMatch(/https?:\/\//);
  });

  it('names files that browsers may keep for ever, compressed or not', async () => {
    const { text } = await get(hub.url, '/graphql', html);
    const urls = [...text.matchAll(/(?:src|href)="(\/graphql\/assets\/[^"]+)"/g)].map(
      ([, url]) => url ?? '',
    );
    expect(urls).toHaveLength(2);
    for (const url of urls) {
      const zipped = await fetch(hub.url + url);
      const plain = await fetch(hub.url + url, { headers: { 'accept-encoding': 'identity' } });
      expect(zipped.headers.get('content-encoding')).toBe('gzip');
      expect(plain.headers.get('content-encoding')).toBe(null);
      expect(zipped.headers.get('cache-control')).toContain('immutable');
      expect(await zipped.text()).toBe(await plain.text());
      const etag = zipped.headers.get('etag') ?? '';
      const again = await fetch(hub.url + url, { headers: { 'if-none-match': etag } });
      expect(again.status).toBe(304);
    }
  });

  it.each(['editorWorkerService.js', 'json.js', 'graphql.js'])(
    'has the worker %s',
    async (name) => {
      const response = await fetch(`${hub.url}/graphql/assets/${name}`);
      expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect((await response.text()).length).toBeGreaterThan(100_000);
    },
  );

  it('has no other files', async () => {
    expect((await fetch(`${hub.url}/graphql/assets/none.js`)).status).toBe(404);
  });
});
