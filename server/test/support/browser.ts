import { type Browser, chromium, type Page } from 'playwright-core';

export function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

/** A page that reaches nothing but the hub; `faults` gets what it tried, and what went wrong on it. */
export async function openIsolatedPage(
  browser: Browser,
  hubUrl: string,
): Promise<{ readonly page: Page; readonly faults: readonly string[] }> {
  const faults: string[] = [];
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.route('**/*', async (route) => {
    const url = route.request().url();
    if (url.startsWith(`${hubUrl}/`) || url.startsWith('data:') || url.startsWith('blob:')) {
      await route.continue();
      return;
    }
    faults.push(`asked for ${url}`);
    await route.abort();
  });
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  return { page, faults };
}
