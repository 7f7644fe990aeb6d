import type { RequestHandler } from 'express'
import { within } from '../deadline.ts'
import { failedOf, type Probe, reasonOf, runProbes } from './run-probes.ts'

export type ReadinessParts = {
  probes: Probe[]
  /** Figures for the operator, shown beside the checks; left out when they cannot be read in time. */
  details: () => Promise<Record<string, unknown>>
  /** Has aborted when the process ends: it is not ready from that moment on. */
  ending: AbortSignal
}

const DEADLINE_MS = 1_000

/**
 * Runs all probes and answers 200 `ready`, 200 `degraded` or 503 `not ready`. The answer names the probes that failed,
 * and cause and remedy of a mistake of the installation. Other errors are in the log only. A process that ends answers
 * 503 `stopping`.
 */
export function readiness({ probes, details, ending }: ReadinessParts): RequestHandler {
  return async (_req, res) => {
    if (ending.aborted) return void res.status(503).json({ status: 'stopping' })
    const figures = within(DEADLINE_MS, details).catch(() => undefined)
    const results = await runProbes(probes)
    const failed = failedOf(results)
    const ready = !failed.some(({ vital }) => vital)
    const status = failed.length === 0 ? 'ready' : ready ? 'degraded' : 'not ready'
    const checks = Object.fromEntries(
      results.map((one) => [one.name, failed.includes(one) ? 'failed' : 'ok']),
    )
    const known = failed.flatMap((one) => reasonOf(one) ?? [])
    const reasons = known.length > 0 && { reasons: known }
    res.status(ready ? 200 : 503).json({ status, checks, ...reasons, details: await figures })
  }
}
