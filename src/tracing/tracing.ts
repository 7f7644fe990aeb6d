import type { Attributes } from '@opentelemetry/api'
import type { Telemetry } from 'bullmq'
import type { Config } from '../config.ts'
import type { Logger } from '../logger.ts'

/** Runs `work` as a span of this name, child of the one it is called in; a throw marks it and is passed on. */
export type Traced = <T>(name: string, attributes: Attributes, work: () => Promise<T>) => Promise<T>

export type Tracing = {
  traced: Traced
  /** For every Queue and Worker: hands the trace on in a job's options, never in its data. */
  telemetry: Telemetry | undefined
  /** The trace this is called in, for another process (W3C `traceparent`); '' outside of one. */
  carry: () => string
  /** Runs `work` as a part of the trace that was carried here, if any was. */
  follow: <T>(carried: string, work: () => T) => T
  /** Sends what is left. Never rejects. */
  stop(): Promise<void>
}

/** What tracing is without a collector. */
export const NO_TRACES: Tracing = {
  traced: (_name, _attributes, work) => work(),
  telemetry: undefined,
  carry: () => '',
  follow: (_carried, work) => work(),
  stop: async () => {},
}

/** Traces to the collector of the configuration; without one nothing of OpenTelemetry is even loaded. */
export async function startTracing(traces: Config['traces'], log: Logger): Promise<Tracing> {
  if (traces === undefined) return NO_TRACES
  const { startOpenTelemetry } = await import('./open-telemetry.ts')
  return startOpenTelemetry(traces, log)
}
