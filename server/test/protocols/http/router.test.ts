import { describe, expect, it } from 'vitest';
import { createRouter } from '../../../src/protocols/http/router.ts';

const handler = () => {};

function aRouter() {
  const router = createRouter();
  router.add('POST', '/events', handler);
  router.add('GET', '/events', handler);
  router.add('GET', '/events/stream', handler);
  router.add('GET', '/events/:id', handler);
  router.add('GET', '/files/*', handler);
  return router;
}

describe('router', () => {
  it('finds literal paths by one look-up, with the methods they take', () => {
    expect(aRouter().literal('/events')?.allow).toBe('GET, HEAD, POST');
    expect(aRouter().literal('/events/stream')?.allow).toBe('GET, HEAD');
    expect(aRouter().literal('/events/')).toBeUndefined();
  });

  it('gives one segment, decoded, to a parameter', () => {
    const { route, parameter } = aRouter().find('/events/a%7Eb');
    expect(route.pattern).toBe('/events/:id');
    expect(parameter).toBe('a~b');
  });

  it('gives the rest of the path to a star', () => {
    expect(aRouter().find('/files/a/b.js').parameter).toBe('a/b.js');
  });

  it.each([
    '/nothing',
    '/events/',
    '/events/a/b',
    '//events',
    '/events//a',
    '/files/../events',
    '/files/%2e%2e/events',
    '/files/',
    '/files/a//b',
    '/events/.',
    'events/a',
    '*',
  ])('has nothing at %s', (path) => {
    expect(() => aRouter().find(path)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it.each(['/events/%', '/events/%zz', '/events/%ff', '/events/%c0%af'])(
    'cannot read %s',
    (path) => {
      expect(() => aRouter().find(path)).toThrow(expect.objectContaining({ code: 'unreadable' }));
    },
  );
});
