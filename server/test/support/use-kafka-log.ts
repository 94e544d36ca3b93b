import { afterEach, beforeEach } from 'vitest';
import type { EventLog } from '../../src/log/event-log.ts';
import { sharedKafka } from './engines/shared-engines.ts';
import { openLog, removeTopic } from './kafka-harness.ts';

export interface KafkaLogUnderTest {
  /** Of the topic. */
  readonly url: string;
  readonly log: EventLog;
}

/** For each test of a `describe` an open log, in a topic of its own on the broker that all tests share. */
export function useKafkaLog(): KafkaLogUnderTest {
  let opened: KafkaLogUnderTest;
  beforeEach(async () => {
    const url = await sharedKafka();
    opened = { url, log: await openLog(url) };
  });
  afterEach(async () => {
    await opened.log.close();
    await removeTopic(opened.url);
  });
  return {
    get url() {
      return opened.url;
    },
    get log() {
      return opened.log;
    },
  };
}
