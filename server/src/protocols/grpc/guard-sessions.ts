import assert from 'node:assert';
import {
  constants,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';

/**
 * What grpc-js has no option for, before it listens: how often a connection may
 * open calls and reset them at once (CVE-2023-44487). Past that Node.js closes
 * the connection.
 */
export function limitResets(server: Server): void {
  const options: unknown = Reflect.get(server, 'commonServerOptions');
  assert(typeof options === 'object' && options !== null, 'grpc-js keeps its options elsewhere');
  Object.assign(options, {
    streamResetBurst: limits.grpcResetsAtOnce,
    streamResetRate: limits.grpcResetsPerSecond,
  });
}

/**
 * Once it listens: closes connections that say nothing, flood or are too many,
 * and calls whose client does not let them end. The answer stops that.
 */
export function guardSessions(server: Server, clock: Clock, connectionsMax: number): () => void {
  const listening: unknown = Reflect.get(server, 'http2Servers');
  assert(listening instanceof Map, 'grpc-js keeps its servers elsewhere');
  const open = new Set<ServerHttp2Stream>();
  for (const each of listening.keys() as Iterable<Http2Server>) {
    each.maxConnections = connectionsMax;
    each.on('session', (session: ServerHttp2Session) => {
      closeIfSilent(session, clock);
      closeIfPinged(session, clock);
    });
    each.on('stream', (stream: ServerHttp2Stream) => {
      open.add(stream);
      stream.once('close', () => open.delete(stream));
    });
  }
  return closeWhenOver(open, clock);
}

/** HTTP/2 begins with the settings of both sides. */
function closeIfSilent(session: ServerHttp2Session, clock: Clock): void {
  const cancel = clock.after(limits.headersTimeoutMs, () => session.destroy());
  session.once('remoteSettings', cancel);
  session.once('close', cancel);
}

function closeIfPinged(session: ServerHttp2Session, clock: Clock): void {
  let second = 0;
  let pings = 0;
  session.on('ping', () => {
    const now = Math.floor(clock.monotonicMs() / 1_000);
    if (now !== second) {
      second = now;
      pings = 0;
    }
    pings += 1;
    if (pings <= limits.grpcPingsPerSecond || session.destroyed) return;
    session.destroy(new Error('a flood of pings'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
}

/**
 * A client that goes on sending after its answer, or does not read it, would
 * hold both for ever. Streams that are still being written look after
 * themselves.
 */
function closeWhenOver(open: ReadonlySet<ServerHttp2Stream>, clock: Clock): () => void {
  const noted = new WeakSet<ServerHttp2Stream>();
  return clock.every(limits.grpcSweepMs, () => {
    for (const stream of open) {
      if (!stream.writableEnded || noted.has(stream)) continue;
      noted.add(stream);
      const waitMs = stream.writableFinished ? limits.grpcLingerMs : limits.grpcAnswerReadMs;
      const cancel = clock.after(waitMs, () => {
        const { NGHTTP2_NO_ERROR, NGHTTP2_CANCEL } = constants;
        stream.close(stream.writableFinished ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
      });
      stream.once('close', cancel);
    }
  });
}
