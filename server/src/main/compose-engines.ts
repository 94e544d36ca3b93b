import type { Clock } from '../base/clock.ts';
import type { Lifecycle } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Telemetry } from '../base/telemetry.ts';
import type { Tracing } from '../base/tracing.ts';
import type { Settings } from '../config/settings.ts';
import type { Advice, HealthPart } from '../hub/health.ts';
import { type GroupCommitLog, withGroupCommit } from '../log/group-commit.ts';
import { guarded } from '../log/guarded.ts';
import { withKnownIds } from '../log/known-ids.ts';
import { timed } from '../log/timed.ts';
import { traced } from '../log/traced.ts';
import { withTrimmedHistory } from '../log/trimmed-history.ts';
import { Continuity } from '../readers/continuity.ts';
import type { EventStore } from '../store/event-store.ts';
import type { HubAccess } from './access.ts';
import type { Admission } from './admission.ts';
import { agree, agreementOf } from './agree.ts';
import { type Engines, isEmbedded } from './engines.ts';
import { healthAdvice } from './health-advice.ts';
import { prepareArchive } from './prepare-archive.ts';
import { prepareRetention } from './prepare-retention.ts';

export interface EngineParts {
  readonly settings: Settings;
  readonly engines: Engines;
  readonly admission: Admission;
  readonly access: HubAccess;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly telemetry: Telemetry;
  /** Undefined where nothing is traced. */
  readonly tracing: Tracing | undefined;
}

export interface ComposedEngines {
  /** With everything between a request and the engine. */
  readonly log: GroupCommitLog;
  readonly store: EventStore;
  /** What to do when the log is not well. */
  readonly logAdvice: Advice;
  /** What the process shows and needs besides the log. */
  readonly parts: readonly HealthPart[];
  /** Begins to archive and to remove what is too old, where this process's roles and settings ask for that. */
  startReaders(): void;
}

/** The engines as the hub uses them, with the readers that this process's roles ask for. */
export async function composeEngines(parts: EngineParts): Promise<ComposedEngines> {
  return await (isEmbedded(parts.settings) ? composeEmbedded : composeServers)(parts);
}

/** Log and store are one file: nothing is archived, nothing is ever away alone. */
async function composeEmbedded(parts: EngineParts): Promise<ComposedEngines> {
  const { access, engines, lifecycle, settings, tracing } = parts;
  const { store } = engines;
  const advice = healthAdvice(settings);
  const committed = withGroupCommit(timed(engines.log, parts.clock, parts.telemetry));
  const log = tracing === undefined ? committed : traced(committed, tracing);
  lifecycle.add('store', () => store.close());
  lifecycle.add('log', () => log.close());
  lifecycle.add('keys', () => access.stop());
  await agree(store, agreementOf(settings));
  await access.admit();
  const startRetention = prepareRetention({ ...parts, ...engines });
  return {
    log,
    store,
    logAdvice: advice.log,
    parts: [storePart(store, true, advice.store), access.part],
    startReaders: startRetention,
  };
}

/** Each engine may be away: the hub starts all the same, and does what it can without it. */
async function composeServers(parts: EngineParts): Promise<ComposedEngines> {
  const { settings, engines, admission, access, clock, logger, lifecycle, tracing } = parts;
  const { store } = engines;
  lifecycle.add('store', () => store.close());
  lifecycle.add('keys', () => access.stop());
  const continuity = new Continuity({
    log: engines.log,
    store,
    clock,
    logger,
    onRefused: (refusal) => admission.refuse(refusal),
  });
  const bare = guarded(timed(engines.log, clock, parts.telemetry), () => continuity.fault);
  const known = withKnownIds(bare, { store, logger });
  const committed = withGroupCommit(withTrimmedHistory(known, store));
  const log = tracing === undefined ? committed : traced(committed, tracing);
  lifecycle.add('log', () => log.close());

  lifecycle.add('admission', () => admission.stop());
  const wanted = agreementOf(settings);
  await admission.begin([
    { name: 'the log', pass: async () => void (await engines.log.check()) },
    { name: 'the store', pass: () => agree(store, wanted) },
    { name: 'its keys', pass: () => access.admit() },
  ]);
  await continuity.start();
  lifecycle.add('continuity', () => continuity.stop());
  const isReader = settings.roles.has('readers');
  const takesEvents = settings.roles.has('http') || settings.roles.has('grpc');
  const advice = healthAdvice(settings);
  const composed = { log, store, logAdvice: advice.log };
  const healthParts = [storePart(store, !takesEvents, advice.store), access.part];
  if (!isReader) return { ...composed, parts: healthParts, startReaders: () => undefined };
  const needed = !takesEvents;
  const { part, start } = prepareArchive({
    ...parts,
    log: engines.log,
    store,
    needed,
    advice: advice.archive,
  });
  const startRetention = prepareRetention({ ...parts, ...engines });
  const startReaders = () => {
    start();
    startRetention();
  };
  return { ...composed, parts: [...healthParts, part], startReaders };
}

/** Who takes events goes on without the store; who archives cannot. */
function storePart(store: EventStore, needed: boolean, advice: Advice): HealthPart {
  return {
    name: 'store',
    needed,
    advice,
    check: async () => {
      await store.check();
      return 'readable';
    },
  };
}
