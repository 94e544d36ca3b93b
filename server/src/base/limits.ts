import { engineLimits } from './engine-limits.ts';

/**
 * Every cap of the hub, in one place, with its reason. A queue, loop or buffer
 * without a line here has no bound, which is a fault.
 */
export const limits = {
  ...engineLimits,

  /** One event as a request body. The largest valid event is under 70 KiB, all characters escaped. */
  singleBodyBytes: 1024 * 1024,
  /** A batch as a request body, after decompression, and a gRPC message. */
  batchBodyBytes: 8 * 1024 * 1024,
  /** A GraphQL request body, after decompression: it may hold a batch as variables. */
  graphqlBodyBytes: 8 * 1024 * 1024,
  /** Bodies that arrive in pieces, over all connections, until they are whole. More is `overloaded`. */
  bodiesHeldBytes: 64 * 1024 * 1024,
  /**
   * Bodies and messages that are being worked on, over all protocols: parsed, they take several
   * times their length of a heap of 256 MB. More is `overloaded`. Short ones are not counted.
   */
  requestsHeldBytes: 24 * 1024 * 1024,
  shortRequestBytes: 64 * 1024,
  batchEvents: 10_000,
  /** Events parsed in one go before other requests get their turn. */
  parseSliceEvents: 250,
  /** The same for long events. */
  parseSliceBytes: 256 * 1024,
  /** JSON levels of a whole body: a batch and an event around 16 levels of metadata. */
  jsonDepth: 20,
  /** Keys of all objects and elements of all arrays in one event's JSON. */
  jsonKeys: 20_000,

  /** Faults named in one refusal; the rest is counted. A body of 20,000 unknown fields must not be echoed. */
  errorDetails: 20,
  /** Characters of a refused value or name that a message repeats. */
  echoedCharacters: 64,
  /** Each type is a row of every minute and a label of the counters. */
  eventTypes: 100,

  /** How long the log level may be another than the configured one, when a time is said: 7 d. A timer holds under 25 d. */
  logLevelChangedMs: 7 * 24 * 60 * 60_000,

  idCharacters: 128,
  userIdCodePoints: 256,
  metadataBytes: 16 * 1024,
  metadataDepth: 16,
  metadataKeyCodePoints: 128,
  amountDecimals: 6,
  /** In whole units of the currency. */
  amountUnitsMax: 999_999_999_999n,
  /** Digits that survive decimal, double, decimal. */
  amountNumberDigits: 15,
  timestampYearMin: 2000,

  pageEvents: 1000,
  pageEventsDefault: 100,
  /** Values of a repeatable filter. */
  filterValues: 100,
  windowMinutesMax: 525_600,
  seriesBuckets: 10_000,
  /** Longest wait of a read with `at_least`. */
  atLeastWaitMs: 5_000,

  headerBytes: 16 * 1024,
  headerCount: 100,
  urlBytes: 8 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  keepAliveTimeoutMs: 65_000,
  connectionsCheckingIntervalMs: 2_000,
  /** Of HTTP, and as many of gRPC. */
  connectionsMax: 10_000,
  /** How long a refused body is still taken in and thrown away, so that its sender reads the answer. */
  lingerMs: 1_000,
  /** While the server closes: how often connections that have become idle are closed. */
  idleSweepMs: 50,
  /** While the server closes: how long connections that wait to be accepted are still taken. */
  backlogMs: 500,
  /** A longer answer goes out in pieces: who takes none for `subscriberStallMs` is cut. */
  answerPieceBytes: 64 * 1024,
  /** How long answers under way may take when the server closes. */
  httpCloseMs: 6_000,
  /** How often the files of `tls` are looked at. */
  tlsReloadMs: 5_000,

  /** Events accepted and waiting for the log, over all callers. Full means `overloaded`. */
  appendQueueEvents: 50_000,
  appendQueueBytes: 48 * 1024 * 1024,
  /** Events in one commit: long commits make everybody wait. */
  commitEvents: 5_000,
  commitBytes: 8 * 1024 * 1024,

  /** Entries in one read of the log. */
  readEntries: 500,
  /** Characters in one read of the log: what each reader of the history holds while it stalls. One entry may have more. */
  readCharacters: 256 * 1024,
  /** The newest entries kept in memory for readers at the tail. */
  tailEntries: 4_096,
  tailBytes: 8 * 1024 * 1024,
  /** What a live subscriber may have waiting before it is cut with `slow_reader`: more than one commit of events of up to 250 characters. */
  subscriberEntries: 6_000,
  subscriberBytes: 4 * 1024 * 1024,
  /** How long a transport may refuse to take more before its subscriber is cut. */
  subscriberStallMs: 10_000,
  /** What is written to a stream at once before its reader's pace is looked at. */
  streamWriteCharacters: 64 * 1024,
  subscribersMax: 2_000,
  /** The same with those that read history only and end by themselves. */
  streamsMax: 4_000,
  heartbeatMs: 15_000,

  /** Entries that the archive reader records in one transaction, and holds besides: it reads on meanwhile. */
  archiveEntries: 5_000,
  archiveBytes: 4 * 1024 * 1024,
  /** Entries in one read of the archive reader: fewer round trips, and there is one such reader to a shard. */
  archiveReadEntries: 1_000,
  /** Of a lease, on the store's clock: a reader that stopped or froze is replaced within 10 s. */
  leaseTtlMs: 6_000,
  leaseRenewMs: 2_000,
  /** How often a reader that waits for its turn asks for the lease. */
  leaseRetryMs: 1_000,
  /** The first and the longest wait of a reader after a failure of an engine. */
  retryFirstMs: 50,
  retryMaxMs: 1_000,
  /** Tries of an entry that fails for its own sake before it is put aside. */
  poisonTries: 5,
  /** How often it is looked whether the log still is the one that the store was filled from, and as durable as at the start. */
  continuityEveryMs: 5_000,
  /** What the engines are asked for the figures of a process, at most so often. */
  logEndEveryMs: 1_000,
  storeSizeEveryMs: 60_000,
  /** How long a part may take to say that it works. */
  healthProbeMs: 2_000,
  /** The least age at which entries leave a log that is trimmed: no request lives longer. */
  logKeepMsMin: 60 * 60 * 1000,

  /** The least age at which retention removes events, and by how much it is longer than what may still come or be held. */
  retentionMsMin: 24 * 60 * 60 * 1000,
  /** How often it is looked what has become too old: often enough that it goes in small parts, all through the day. */
  retentionEveryMs: 10 * 60_000,
  /** Events removed in one transaction: appends wait for it some hundredths of a second. */
  retentionEvents: 500,

  /** How often each process looks who may come in. */
  accessEveryMs: 1_000,
  /** What was read holds at least as long: a look or two may fail. */
  accessGraceMsMin: 5_000,
  /** How long a call waits for a look when the last one is too old. */
  accessWaitMs: 2_000,
  /** All are read at each look. */
  apiKeys: 1_000,
  /** How long keys that ended are still listed. */
  apiKeyForgetMs: 90 * 24 * 60 * 60_000,
  keyUseEveryMs: 60_000,
  /** Refused credentials that are told of in one stretch of time, each of another address. */
  auditRefusals: 20,
  auditWindowMs: 10_000,
  /** Accounts, and addresses, whose rate is remembered, for each limit: some MiB. */
  rateLimitBuckets: 20_000,

  /** Between two hubs' clocks, or the hub's and Redis's, before `doctor` warns. */
  redisClockSkewMs: 60_000,

  graphqlDepth: 12,
  graphqlAliases: 30,
  graphqlDirectives: 50,
  graphqlTokens: 2_000,
  /** List entries that one operation may ask for. */
  graphqlFieldCost: 5_000,
  /** What a series of up to 10,000 buckets counts as: five of them in one operation. */
  graphqlSeriesCost: 1_000,
  /** Events of a batch that count as one entry: a full batch is 1,000. */
  graphqlEventsPerCost: 10,
  /** `lastEvents` without a limit. */
  graphqlLastEventsDefault: 10,
  /** Of a query's text. The largest event as a literal is under 100,000; more is sent as variables. */
  graphqlQueryCharacters: 256 * 1024,
  /** Valid documents kept parsed, and how long one may be for that: 100 of 4 KiB are some MiB. */
  graphqlCachedDocuments: 100,
  graphqlCachedCharacters: 4 * 1024,
  /** An error's message: graphql-js repeats refused values in full. */
  graphqlMessageCharacters: 1_000,
  /** JSON levels that a GraphQL request puts around what REST would get. */
  graphqlJsonDepth: 2,
  websocketPayloadBytes: 8 * 1024 * 1024,
  /** All that a WebSocket may send until its caller is known: as much as the headers of a request. */
  websocketGreetingBytes: 16 * 1024,
  /** Fragments of one message, and pieces that a fragment arrives in: programs send one of each, or as many as fit their packets. */
  websocketFragments: 256,
  websocketPieces: 16_384,
  websocketSubscriptions: 50,
  /** Operations of one WebSocket that run at once; the others wait, and a subscription that has begun does not count. */
  websocketOperationsAtOnce: 4,
  websocketInitTimeoutMs: 3_000,
  /** Above it nothing more is read from a WebSocket until its client has read what it asked for. */
  websocketBufferedBytes: 1024 * 1024,
  /** How long a WebSocket that is closed may take to read why and to answer. */
  websocketFarewellMs: 5_000,
  /** While the hub stops: how long a WebSocket's operations may take to end. */
  websocketStopMs: 2_000,

  /** One gRPC page ends early here, under a client's default limit of 4 MiB. */
  grpcPageBytes: 3 * 1024 * 1024,
  grpcMessageBytes: 8 * 1024 * 1024,
  grpcConcurrentStreams: 200,
  grpcMetadataBytes: 16 * 1024,
  /** Events of one bidirectional ingest stream that are waiting for their answer. */
  grpcInFlightEvents: 1_000,
  /** Events of StreamEvents without a limit and a position. */
  grpcStreamEventsDefault: 10,
  /** What a stream hands to the transport before it waits: about one HTTP/2 window. */
  grpcStreamPendingBytes: 64 * 1024,
  /** Of the details in a failed call's trailers, which clients bound at 8 KiB. */
  grpcErrorDetailBytes: 3 * 1024,
  /** Buffers of one connection: several of the largest messages at once. */
  grpcSessionMegabytes: 64,
  /** Calls that a connection may reset at once: all that it may have open, twice over. After that so many a second. */
  grpcResetsAtOnce: 400,
  grpcResetsPerSecond: 33,
  /** Of a connection: more than clients send that measure their line by them. */
  grpcPingsPerSecond: 5_000,
  /** How long a call that is answered waits for the rest of what its client sends, and for its client to read the answer. */
  grpcLingerMs: 2_000,
  grpcAnswerReadMs: 60_000,
  /** How often it is looked for calls that are over and not closed. */
  grpcSweepMs: 2_000,
  grpcKeepaliveMs: 60_000,
  grpcKeepaliveTimeoutMs: 20_000,
  /** A connection without a call is closed. */
  grpcIdleMs: 5 * 60_000,
  /** How often the state is looked at while somebody watches the health service. */
  grpcHealthWatchMs: 1_000,
  /** Watches of the health service in one process: they need no credential and never end by themselves. */
  grpcHealthWatchesMax: 100,
  /** For calls under way when the hub stops; within `stopMs`. */
  grpcDrainMs: 5_000,

  /** A token, looked at before any work on it. */
  tokenBytes: 8 * 1024,
  /** By how much the clocks of the token issuer and the hub may differ: before `nbf` and `iat`, after `exp`. */
  tokenSkewMs: 60_000,
  /** Of each name that a token gives its bearer. */
  tokenNameCharacters: 256,
  /** Verified tokens that are remembered, and how long at most. */
  tokensVerified: 1_000,
  tokenVerifiedMs: 60_000,
  /** Of a secret for HS256: as long as its hash, as RFC 7518 asks. */
  tokenSecretBytes: 32,
  rsaKeyBits: 2_048,
  /** A token issuer's whole answer, and its length. */
  issuerAnswerMs: 5_000,
  issuerAnswerBytes: 256 * 1024,
  /** Keys of one issuer. */
  issuerKeys: 100,
  /** After that long the issuer's keys are asked for again. */
  issuerKeysFreshMs: 10 * 60_000,
  /** An unknown key asks the issuer no more often than this: anybody can name one. */
  issuerKeysCooldownMs: 30_000,
  /** How often a file of keys is looked at. */
  issuerKeysFileMs: 5_000,
  /** For so long the last keys serve while the issuer does not answer. */
  issuerKeysStaleMs: 24 * 60 * 60_000,
  /** The first and the longest pause after a failure of the issuer. */
  issuerRetryFirstMs: 1_000,
  issuerRetryMaxMs: 30_000,

  /** A longer `traceparent` is none; the one that W3C defines has 55. */
  traceparentCharacters: 255,
  /** What W3C asks everybody to pass on of a `tracestate`; a longer one is left out. */
  tracestateCharacters: 512,
  /** From one span to the places where its events came to be: as many as OpenTelemetry keeps by itself. */
  traceLinks: 128,
  /** For the spans that are finished when the hub has stopped; within `stopMs`. */
  traceFlushMs: 1_500,

  /** From the signal to the exit. */
  stopMs: 10_000,
} as const;
