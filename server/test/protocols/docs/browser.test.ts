import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, openIsolatedPage } from '../../support/browser.ts';
import { describeWith } from '../../support/needed-program.ts';
import { get } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

describeWith('the REST reference in a browser', 'chromium', (chromium) => {
  let hub: TestHub;
  let browser: Browser;
  beforeAll(async () => {
    hub = await startTestHub();
    browser = await launchBrowser(chromium);
  });
  afterAll(async () => {
    await browser?.close();
    await hub?.remove();
  });

  it('loads with the network cut off and sends its example', async () => {
    const { page, faults } = await openIsolatedPage(browser, hub.url);
    await page.goto(`${hub.url}/docs`);
    await page.locator('.opblock-post .opblock-summary-control').click();
    await page.getByRole('button', { name: 'Execute' }).click();
    const answer = page.locator('.live-responses-table tbody .response-col_status').first();
    await answer.getByText('201').waitFor();
    await page.getByRole('button', { name: 'Execute' }).click();
    await answer.getByText('200').waitFor();
    expect(faults).toEqual([]);
    expect((await get(hub.url, '/events')).json.events).toHaveLength(1);
  });

  it('opens at an operation by its link', async () => {
    const { page, faults } = await openIsolatedPage(browser, hub.url);
    await page.goto(`${hub.url}/docs#/Aggregates/getAggregates`);
    await page.locator('#operations-Aggregates-getAggregates.is-open').waitFor();
    expect(faults).toEqual([]);
  });

  it.each(['/', '/docs/errors'])('loads %s without a fault', async (path) => {
    const { page, faults } = await openIsolatedPage(browser, hub.url);
    await page.goto(`${hub.url}${path}`, { waitUntil: 'networkidle' });
    expect(await page.locator('h1').count()).toBe(1);
    expect(faults).toEqual([]);
  });
});
