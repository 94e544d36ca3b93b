import type { IncomingMessage } from 'node:http';

/**
 * The one of `offered` that the header `Accept` likes best; the first for a
 * tie, for no header, and for a client that likes none of them: an answer in
 * another form helps more than a refusal.
 */
export function clientAccepts<Type extends string>(
  request: IncomingMessage,
  offered: readonly [Type, ...Type[]],
): Type {
  const accept = request.headers.accept;
  if (accept === undefined || accept === '*/*') return offered[0];
  const ranges = accept.toLowerCase().split(',').map(parseRange);
  let best = offered[0];
  let bestQuality = 0;
  for (const type of offered) {
    const quality = qualityOf(type, ranges);
    if (quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  return best;
}

/** How well the header `Accept` likes a type, 0 (not at all) to 1. */
export function acceptQuality(request: IncomingMessage, type: string): number {
  const accept = request.headers.accept;
  return accept === undefined
    ? 1
    : qualityOf(type, accept.toLowerCase().split(',').map(parseRange));
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = q === undefined ? 1 : Number(q.slice(2));
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

/** The most exact range decides, as RFC 9110 section 12.5.1 says. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const family = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const wanted of [type, family, '*/*']) {
    const range = ranges.find((each) => each.type === wanted);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
