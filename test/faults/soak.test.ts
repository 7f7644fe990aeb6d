import { expect, it } from 'vitest'
import { engines } from '../support/app.ts'
import { formatViolations } from '../support/faults/checks/report.ts'
import { type LabEngine, startLab } from '../support/faults/lab/lab.ts'
import { publishSoak, soak } from '../support/faults/soak/soak.ts'
import type { SoakReport } from '../support/faults/soak/soak-report.ts'
import { SEED } from '../support/figures.ts'

/** `npm run faults -- soak --minutes 30` does the same for half an hour; `--seed` repeats the choices of a run. */
it('a quarter of a minute of random faults under load loses, doubles and misplaces nothing', async () => {
  const reports = await Promise.all(engines().map((engine) => shortSoak(engine)))
  for (const report of reports) {
    const { engine, violations, effects, faults } = report
    expect(formatViolations(violations), `FAULT_SEED=${SEED}, queue on ${engine}`).toBe('')
    expect(effects.acknowledged).toBeGreaterThan(100)
    expect(Object.keys(faults).length).toBeGreaterThan(0)
    publishSoak(report)
  }
})

async function shortSoak(engine: LabEngine): Promise<SoakReport> {
  const population = { regulars: 40, returners: 40, attesters: 40, lifecycleWithinMs: 30_000 }
  const lab = await startLab({ engine, seed: SEED, population, oddities: { kinds: 0.25 } })
  try {
    const limits = { longestFreezeMs: 5_000, longestOutageMs: 1_500 }
    return await soak(lab, { seconds: 15, every: 1.5, rate: 15, limits, skipWaits: true })
  } finally {
    await lab.stop()
  }
}
