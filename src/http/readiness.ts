import type { RequestHandler } from 'express'
import { within } from '../deadline.ts'
import type { Logger } from '../logger.ts'

/**
 * One thing this process needs: `check` resolves when it is there. Without a vital one the process is not ready;
 * without another it is degraded, and stays in rotation.
 */
export type Probe = { name: string; check: () => Promise<unknown>; vital: boolean }

export type ReadinessParts = {
  probes: Probe[]
  /** Figures an operator should see beside the checks; left out when they cannot be read. */
  details: () => Promise<Record<string, unknown>>
  log: Logger
}

const DEADLINE_MS = 1_000

/**
 * Asks all probes at once, each for at most a second: 200 `ready`, 200 `degraded` or 503 `not ready`. The answer
 * names what failed, never why.
 */
export function readiness({ probes, details, log }: ReadinessParts): RequestHandler {
  return async (_req, res) => {
    const told = within(DEADLINE_MS, details).catch(() => undefined)
    const results = await Promise.all(
      probes.map(async (probe) => ({ ...probe, ok: await holds(probe, log) })),
    )
    const failed = results.filter(({ ok }) => !ok)
    const ready = !failed.some(({ vital }) => vital)
    const status = failed.length === 0 ? 'ready' : ready ? 'degraded' : 'not ready'
    const checks = Object.fromEntries(results.map(({ name, ok }) => [name, ok ? 'ok' : 'failed']))
    res.status(ready ? 200 : 503).json({ status, checks, details: await told })
  }
}

async function holds({ name, check }: Probe, log: Logger): Promise<boolean> {
  try {
    await within(DEADLINE_MS, check)
    return true
  } catch (err) {
    log.warn({ err, probe: name }, 'not ready')
    return false
  }
}
