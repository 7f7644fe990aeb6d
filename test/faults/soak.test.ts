import { expect, inject, it } from 'vitest'
import { type LabEngine, startLab } from '../support/faults/lab.ts'
import { formatViolations } from '../support/faults/report.ts'
import { noteFigures, type SoakReport, soak } from '../support/faults/soak.ts'
import { SEED } from '../support/figures.ts'

const ENGINES: LabEngine[] = inject('redisUrl') === '' ? ['postgres'] : ['postgres', 'redis']

/** `npm run faults -- soak --minutes 30` does the same for half an hour; `--seed` replays a run. */
it('a quarter of a minute of random faults under load loses, doubles and misplaces nothing', async () => {
  const reports = await Promise.all(ENGINES.map((engine) => shortSoak(engine)))
  reports.forEach(noteFigures)
  for (const { engine, violations, messages, faults } of reports) {
    expect(formatViolations(violations), `FAULT_SEED=${SEED}, queue on ${engine}`).toBe('')
    expect(messages.acked).toBeGreaterThan(100)
    expect(Object.keys(faults).length).toBeGreaterThan(0)
  }
})

async function shortSoak(engine: LabEngine): Promise<SoakReport> {
  const lab = await startLab({ engine, seed: SEED, cast: { busy: 40, gone: 40, lifecycleWithinMs: 30_000 } })
  try {
    return await soak(lab, {
      seconds: 15,
      every: 1.5,
      rate: 15,
      limits: { longestFreezeMs: 5_000, longestOutageMs: 1_500 },
      drainMs: 60_000,
      hurry: true,
    })
  } finally {
    await lab.stop()
  }
}
