import type { Config } from '../config.ts'
import type { Logger } from '../logger.ts'
import { NO_TRACES, type Tracing } from './tracing.ts'

/** Starts tracing to the configured collector. Without one, no module of OpenTelemetry is loaded. */
export async function startTracing(traces: Config['traces'], log: Logger): Promise<Tracing> {
  if (traces === undefined) return NO_TRACES
  const { startOpenTelemetry } = await import('./open-telemetry.ts')
  return startOpenTelemetry(traces, log)
}
