/** The caps of what the hub asks of its engines, each with its reason: a part of `limits`. */
export const engineLimits = {
  /** How long a connection to a SQLite file waits for another one: who opens after a crash, or closes last, holds the file. */
  sqliteBusyMs: 5_000,
  /**
   * How long MongoDB's driver looks for a primary that it does not know. While
   * none is known, calls do not wait at all.
   */
  mongoSelectionMs: 1_000,
  /** For a connection to MongoDB, and for a sign of life on it beyond the pause between two. */
  mongoConnectMs: 2_000,
  mongoHeartbeatMs: 1_000,
  /** An answer that takes longer will not come. The longest work is one stretch of a rebuild. */
  mongoAnswerMs: 15_000,
  /** How long a majority may take to have a write on disk. */
  mongoWriteMs: 5_000,
  /** How long a start waits for MongoDB; it goes on without. */
  mongoOpenMs: 3_000,
  mongoConnections: 20,
  /** Of one transaction that meets others, and of asking again what became of its commit. */
  mongoTransactionTries: 20,
  mongoCommitTries: 3,
  /** Events in one transaction: well under MongoDB's 16 MiB and its minute. */
  mongoTransactionBytes: 8 * 1024 * 1024,
  mongoTransactionEvents: 10_000,
  /** How often the position is looked at while a read waits for it. */
  mongoPositionPollMs: 20,
  /** A hub that has not been seen for longer does not run any more. */
  mongoProcessTtlMs: 15_000,
  mongoProcessSeenMs: 5_000,

  /** For a connection to Redis with all that is asked before it is used; then the pause before the next try. */
  redisConnectMs: 3_000,
  redisRetryMinMs: 50,
  redisRetryMaxMs: 1_000,
  /** An answer that takes longer will not come: its outcome is unknown, and the connection is replaced. */
  redisAnswerMs: 5_000,
  /** How long a follower waits in Redis before it asks again, so that a dead connection is noticed. */
  redisBlockMs: 1_000,
  /** Events and bytes of one script, about a millisecond: Redis does nothing else meanwhile. An atomic group may have more. */
  redisUnitEvents: 100,
  redisUnitBytes: 256 * 1024,
  /** Scripts of one append on their way at once. */
  redisUnitsAtOnce: 4,
  /** Entries of the first read of a log, before their size is known. */
  redisFirstReadEntries: 16,
  /** An entry stays at least this long after it was archived: longer than any request may live. */
  redisArchivedKeepMs: 60 * 60_000,
  /** How many times of archiving are remembered for that: one a minute and some. */
  redisArchivedMarks: 64,
  /** How often the trimming looks for work. */
  redisTrimEveryMs: 10_000,
  /** Entries trimmed by one script, and scripts in one call: more than a minute brings. */
  redisTrimEntries: 100,
  redisTrimSlices: 10_000,
  /** The newest archived entries stay, however old. */
  redisTrimMargin: 100,
  /** Of a topic that the hub makes. */
  kafkaPartitions: 6,
  /** For a connection to a broker; then the pause before the next try. */
  kafkaConnectMs: 3_000,
  kafkaRetryMs: 100,
  /** An answer that takes longer will not come: its outcome is unknown. */
  kafkaAnswerMs: 5_000,
  /** Tries of one request within one append, with the same sequence numbers, so that the broker writes it once. */
  kafkaRetries: 2,
  /**
   * How long it is sent again for what passes by itself, such as a leader that moves: in good order that is done in less,
   * and then no append fails.
   */
  kafkaSettleMs: 2_000,
  /** Of one record batch of one partition: under the 1 MiB that a broker takes by default. */
  kafkaBatchBytes: 900 * 1024,
  /** Smaller ones are not compressed. */
  kafkaCompressBytes: 1_024,
  /** How long a follower waits in the broker before it asks again. */
  kafkaFetchWaitMs: 500,
  /**
   * Of one answer, compressed: what each reader holds of each leader while its entries are taken. A batch that is larger
   * alone comes all the same, from the first partition that has any, and a hub makes none over `kafkaBatchBytes`.
   */
  kafkaFetchBytes: 128 * 1024,
  kafkaPartitionFetchBytes: 32 * 1024,
  /** And decompressed, which may be hundreds of times as much: it is taken up to here, and one batch further. */
  kafkaTakenBytes: 256 * 1024,
  /** Ids that a process still knows itself after it wrote them: the archive has them long before. */
  kafkaRecentIds: 50_000,
  kafkaRecentMs: 60_000,
  /** The clocks of two hubs differ by no more: how much earlier other partitions are read from an event's own position. */
  kafkaClockSkewMs: 60_000,
} as const;
