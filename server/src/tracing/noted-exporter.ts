import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../base/logger.ts';

/** Says once that spans do not arrive, and once that they do again: what is traced must not fill the log. */
export class NotedExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #logger: Logger;
  #isAway = false;

  constructor(exporter: SpanExporter, logger: Logger) {
    this.#exporter = exporter;
    this.#logger = logger;
  }

  export(spans: ReadableSpan[], told: Parameters<SpanExporter['export']>[1]): void {
    this.#exporter.export(spans, (result) => {
      this.#note(result.error);
      told(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #note(fault: Error | undefined): void {
    if (fault === undefined) {
      if (this.#isAway) this.#logger.info('the collector takes traces again');
      this.#isAway = false;
      return;
    }
    if (!this.#isAway) this.#logger.warn({ reason: reasonOf(fault) }, isAway);
    this.#isAway = true;
  }
}

const isAway =
  'the collector does not take traces: what is not sent is dropped, and events go on as before';

/** Words alone: the error itself may hold what was sent. */
function reasonOf(fault: Error & { readonly code?: unknown }): string {
  return fault.message || String(fault.code ?? fault.name);
}
