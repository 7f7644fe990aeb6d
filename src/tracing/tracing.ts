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
  /** Sends what is left. Never rejects. */
  stop(): Promise<void>
}

/** What `traced` is without a collector. */
export const untraced: Traced = (_name, _attributes, work) => work()

/** Traces to the collector of the configuration; without one nothing of OpenTelemetry is even loaded. */
export async function startTracing(traces: Config['traces'], log: Logger): Promise<Tracing> {
  if (traces === undefined) return { traced: untraced, telemetry: undefined, stop: async () => {} }
  const { startOpenTelemetry } = await import('./open-telemetry.ts')
  return startOpenTelemetry(traces, log)
}
