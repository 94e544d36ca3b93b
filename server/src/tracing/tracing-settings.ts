/** What the standard variables ask for, as far as the SDK does not read them by itself. */
export interface TracingSettings {
  readonly protocol: TracingProtocol;
  readonly sampler: SamplerSettings;
  /** Absent where the SDK's own number holds. */
  readonly batch: Partial<Record<BatchNumber, number>>;
}

export const tracingProtocols = ['http/protobuf', 'grpc'] as const;
export type TracingProtocol = (typeof tracingProtocols)[number];

export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof samplerNames)[number];

export interface SamplerSettings {
  readonly name: SamplerName;
  /** From 0 to 1, for the two with a ratio. */
  readonly ratio: number;
}

/** As the batch span processor calls them. */
export type BatchNumber =
  | 'scheduledDelayMillis'
  | 'exportTimeoutMillis'
  | 'maxQueueSize'
  | 'maxExportBatchSize';
