import type { TraceContext } from '../../base/tracing.ts';
import type { Caller, Hub } from '../../hub.ts';

/** What a resolver knows about the operation it works for. */
export interface OperationContext {
  readonly hub: Hub;
  readonly caller: Caller;
  /** Of a subscription, for the counters: `graphql-sse` or `graphql-ws`. */
  readonly transport: string;
  /** Where whoever asks is in a trace. */
  readonly trace: TraceContext | undefined;
  /**
   * Aborted when nobody waits for the answer any more. Aborted with a HubError
   * as the reason, it ends a subscription with that error.
   */
  readonly signal: AbortSignal;
  /** Of the request, or of the upgrade to a WebSocket. */
  readonly requestId: () => string;
}
