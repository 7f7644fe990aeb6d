import type { Attributes } from '@opentelemetry/api'
import type { Telemetry } from 'bullmq'

/** Runs `work` as a span, a child of the current one. An error marks the span and is passed on. */
export type Traced = <T>(name: string, attributes: Attributes, work: () => Promise<T>) => Promise<T>

export type Tracing = {
  traced: Traced
  /** For BullMQ's queues and workers: carries the trace in the options of a job, never in its data. */
  telemetry: Telemetry | undefined
  /** The current trace, to be passed to another process (W3C `traceparent`); empty when there is none. */
  carry: () => string
  /** Runs `work` as a part of a trace that came from another process; an empty `carried` means none. */
  follow: <T>(carried: string, work: () => T) => T
  /** Exports the spans that are still in memory. Never rejects. */
  stop(): Promise<void>
}

/** Tracing without a collector: it does nothing. */
export const NO_TRACES: Tracing = {
  traced: (_name, _attributes, work) => work(),
  telemetry: undefined,
  carry: () => '',
  follow: (_carried, work) => work(),
  stop: async () => {},
}
