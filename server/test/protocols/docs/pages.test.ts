import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCodes } from '../../../src/base/errors.ts';
import { printOpenApi } from '../../../src/protocols/rest/openapi/print-open-api.ts';
import { version } from '../../../src/version.ts';
import { get } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.remove());

const html = { accept: 'text/html, */*;q=0.8' };

describe('pages', () => {
  it.each(['/', '/docs', '/docs/errors'])('%s lets nothing but the hub in', async (path) => {
    const { status, headers, text } = await get(hub.url, path);
    expect(status).toBe(200);
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(text).not.toMatch(/<script(?![^>]* src=)/);
  });

  it('load only what the hub has', async () => {
    for (const path of ['/', '/docs', '/docs/errors']) {
      const { text } = await get(hub.url, path);
      const links = [...text.matchAll(/(?:src|href)="(\/[^"#]*)/g)].map(([, link]) => link ?? '');
      for (const link of links)
        expect([link, (await get(hub.url, link, html)).status]).toEqual([link, 200]);
    }
  });

  it('do not trust the Host they are asked by', async () => {
    const { text } = await get(hub.url, '/', { host: '"><script>' }).catch(() => ({ text: '' }));
    expect(text).not.toContain('<script>');
  });

  it('explain every error code at the place its type leads to', async () => {
    const { text } = await get(hub.url, '/docs/errors');
    for (const code of errorCodes) expect(text).toContain(`<tr id="${code}">`);
  });
});

describe('page assets', () => {
  const bundle = async () => {
    const { text } = await get(hub.url, '/docs');
    return /src="(\/docs\/assets\/swagger-ui-bundle\.js\?v=[0-9a-f]+)"/.exec(text)?.[1] ?? '';
  };

  it('may be kept for ever, as their fingerprint is in the URL', async () => {
    const { headers } = await get(hub.url, await bundle());
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const bare = await get(hub.url, '/docs/assets/swagger-ui-bundle.js');
    expect(bare.headers.get('cache-control')).toBe('no-cache');
  });

  it('are not sent again to who has them', async () => {
    const path = await bundle();
    const etag = (await get(hub.url, path)).headers.get('etag') ?? '';
    const again = await get(hub.url, path, { 'if-none-match': etag });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('are compressed for who can take it', async () => {
    const path = await bundle();
    const zipped = await get(hub.url, path, { 'accept-encoding': 'gzip' });
    const plain = await get(hub.url, path, { 'accept-encoding': 'identity' });
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(zipped.text).toBe(plain.text);
  });

  it.each(['nothing.js', '..%2f..%2findex.ts', 'toString', '__proto__'])(
    'are the listed ones: not %s',
    async (name) => {
      expect((await get(hub.url, `/docs/assets/${name}`)).status).toBe(404);
    },
  );
});

describe('contracts/openapi.json', () => {
  it('is what the code prints: run `npm run contracts` after a change', async () => {
    const path = new URL('../../../../contracts/openapi.json', import.meta.url);
    expect(await readFile(path, 'utf8')).toBe(printOpenApi(version));
  });
});
