import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';

/**
 * The body of a small document of the issuer: one answer of 200, without
 * following it elsewhere, whole within the time and the length that it may
 * take. Rejects with an Error that says what came instead.
 */
export async function fetchIssuerDocument(
  url: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const late = new AbortController();
  const cancel = clock.after(limits.issuerAnswerMs, () => {
    late.abort(new Error(`it did not answer within ${limits.issuerAnswerMs} ms`));
  });
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.any([signal, late.signal]),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`it answered ${response.status}`);
    }
    return await readBody(response);
  } catch (reason) {
    throw new Error(`${url}: ${reasonOf(reason)}`, { cause: reason });
  } finally {
    cancel();
  }
}

/** Counted as it comes, after decompression: a length that is announced proves nothing. */
async function readBody({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > limits.issuerAnswerBytes) {
      throw new Error(`its answer has more than ${limits.issuerAnswerBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `fetch` says "fetch failed", and the reason in its cause. */
function reasonOf(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  return reason.cause instanceof Error ? reason.cause.message : reason.message;
}
