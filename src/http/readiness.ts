import type { RequestHandler } from 'express'
import { within } from '../deadline.ts'
import type { Logger } from '../logger.ts'

/**
 * A dependency of this process: `check` resolves when it is available. When a vital dependency is missing the process is
 * not ready; when any other is missing it is degraded and stays in rotation.
 */
export type Probe = { name: string; check: () => Promise<unknown>; vital: boolean }

export type ReadinessParts = {
  probes: Probe[]
  /** Figures for the operator, shown beside the checks; left out when they cannot be read in time. */
  details: () => Promise<Record<string, unknown>>
  log: Logger
}

const DEADLINE_MS = 1_000

/**
 * Runs all probes at once, each for at most a second, and answers 200 `ready`, 200 `degraded` or 503 `not ready`. The
 * answer names the probes that failed, but not why: the log does.
 */
export function readiness({ probes, details, log }: ReadinessParts): RequestHandler {
  return async (_req, res) => {
    const figures = within(DEADLINE_MS, details).catch(() => undefined)
    const results = await Promise.all(
      probes.map(async (probe) => ({ ...probe, ok: await succeeds(probe, log) })),
    )
    const failed = results.filter(({ ok }) => !ok)
    const ready = !failed.some(({ vital }) => vital)
    const status = failed.length === 0 ? 'ready' : ready ? 'degraded' : 'not ready'
    const checks = Object.fromEntries(results.map(({ name, ok }) => [name, ok ? 'ok' : 'failed']))
    res.status(ready ? 200 : 503).json({ status, checks, details: await figures })
  }
}

async function succeeds({ name, check }: Probe, log: Logger): Promise<boolean> {
  try {
    await within(DEADLINE_MS, check)
    return true
  } catch (err) {
    log.warn({ err, probe: name }, 'a readiness probe failed')
    return false
  }
}
