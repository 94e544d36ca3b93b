import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, openIsolatedPage } from '../../support/browser.ts';
import { describeWith } from '../../support/needed-program.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

/** What each page shows when it has loaded all of itself. */
const pages = {
  '/': 'h1',
  '/docs': '.opblock-post',
  '/docs/errors': 'tr#conflict',
  '/graphql': '.graphiql-editor .view-line',
} as const;

describeWith('the pages in a browser', 'chromium', (chromium) => {
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

  it.each(Object.entries(pages))('keep to their policy: %s', async (path, shown) => {
    const { page, faults } = await openIsolatedPage(browser, hub.url);
    const violations: string[] = [];
    await page.exposeFunction('noteViolation', (text: string) => violations.push(text));
    await page.addInitScript({
      content: `document.addEventListener('securitypolicyviolation', (violation) =>
        window.noteViolation(violation.effectiveDirective + ' ' + violation.blockedURI));`,
    });
    const response = await page.goto(hub.url + path);
    await page.locator(shown).first().waitFor();
    // What still comes then, as far as the browser tells: of workers that are watched it does not always.
    await page.waitForLoadState('networkidle', { timeout: 5_000 }).catch(() => undefined);
    expect({ violations, faults }).toEqual({ violations: [], faults: [] });
    expect(await response?.allHeaders()).toMatchObject({
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
  });

  it('notices a page that does not: an inline script and an inline style are not run', async () => {
    const { page, faults } = await openIsolatedPage(browser, hub.url);
    await page.goto(`${hub.url}/docs/errors`);
    await page.evaluate(`
      const script = document.createElement('script');
      script.textContent = 'document.title = "run"';
      document.body.append(script);
      document.body.setAttribute('style', 'margin: 1px');
    `);
    expect(await page.title()).not.toBe('run');
    expect(faults.join('\n')).toMatch(/script-src/);
    expect(faults.join('\n')).toMatch(/style-src/);
  });

  it('cannot be framed', async () => {
    const { page } = await openIsolatedPage(browser, hub.url);
    await page.goto('data:text/html,<iframe src=""></iframe>');
    await page.evaluate(`document.querySelector('iframe').setAttribute('src', '${hub.url}')`);
    await expect.poll(() => page.frames()[1]?.url()).toMatch(/^chrome-error:/);
  });

  it('are walked here, all that there are', async () => {
    const { page } = await openIsolatedPage(browser, hub.url);
    const found = new Set<string>();
    for (const [path, shown] of Object.entries(pages)) {
      await page.goto(hub.url + path);
      await page.locator(shown).first().waitFor();
      const links = await page
        .locator('a[href^="/"]')
        .evaluateAll((elements) => elements.map((element) => element.getAttribute('href') ?? ''));
      for (const link of links) found.add(link.replace(/[?#].*/, ''));
    }
    for (const path of found) {
      const response = await fetch(hub.url + path, { headers: { accept: 'text/html' } });
      await response.body?.cancel();
      const isPage = response.headers.get('content-type')?.startsWith('text/html') ?? false;
      expect([path, isPage]).toEqual([path, path in pages]);
    }
  });
});
