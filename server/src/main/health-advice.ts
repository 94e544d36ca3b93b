import { HubError } from '../base/errors.ts';
import { schemeOf } from '../config/engine-urls.ts';
import type { Settings } from '../config/settings.ts';
import type { Advice } from '../hub/health.ts';

/** What to do when a part of the process is not well, by part. */
export interface HealthAdvice {
  readonly log: Advice;
  readonly store: Advice;
  readonly archive: Advice;
  readonly access: Advice;
}

export function healthAdvice({ log, store }: Settings): HealthAdvice {
  const ofLog = logAdvice[schemeOf(log)] ?? fileAdvice;
  const ofStore = schemeOf(store) === 'sqlite' ? fileAdvice : mongoAdvice;
  return {
    log: ({ cause }) => (isOtherLog(cause) ? otherLogAdvice : ofLog),
    store: () => ofStore,
    archive: () => otherLogAdvice,
    access: () => accessAdvice,
  };
}

/** Such a log is guarded: it refuses for the reason that it is not the one it was. */
function isOtherLog(cause: unknown): boolean {
  return cause instanceof HubError && cause.code === 'position_gone';
}

const otherLogAdvice =
  'bring the right log back, or take this one over with `event-hub log adopt`; until then nothing is taken or archived, and nothing is lost';

const accessAdvice =
  'bring the store back, and the hub goes on by itself; a longer EVENT_HUB_ACCESS_GRACE lets those in whom it knows through an outage';

const fileAdvice =
  'make room on the disk and see that the file can be read and written; the hub then goes on by itself, and `event-hub doctor` looks at both';

const redisAdvice =
  'see that Redis runs, can be reached, lets the user of EVENT_HUB_LOG in and has its durable settings; the hub then goes on by itself, and `event-hub doctor` looks at all of that';

const kafkaAdvice =
  'see that the brokers run, can be reached, let the user of EVENT_HUB_LOG in and have enough replicas in sync, and that the topic has its durable settings; the hub then goes on by itself, and `event-hub doctor` looks at them';

const logAdvice: Readonly<Record<string, string>> = {
  sqlite: fileAdvice,
  redis: redisAdvice,
  rediss: redisAdvice,
  kafka: kafkaAdvice,
  kafkas: kafkaAdvice,
};

const mongoAdvice =
  'see that MongoDB runs and has a primary that can be reached and lets the user of EVENT_HUB_STORE in; events are taken meanwhile, for EVENT_HUB_ACCESS_GRACE and by token for longer, and archived afterwards; `event-hub doctor` looks at it';
