import { expect, it } from 'vitest'
import { check } from '../support/faults/checker.ts'
import { drain } from '../support/faults/drain.ts'
import { startLab } from '../support/faults/lab.ts'
import { formatViolations } from '../support/faults/report.ts'

it('the checker finds nothing wrong where nothing goes wrong', async () => {
  const lab = await startLab({ engine: 'postgres', seed: 7 })
  try {
    await lab.meta.deliver(300)
    await lab.cast.provisionLate()
    expect(await lab.meta.settled(10_000)).toBe(true)
    await drain(lab, { withinMs: 30_000, hurry: true })
    const { violations, figures } = await check(lab)
    expect(formatViolations(violations)).toBe('')
    expect(figures.acked).toBeGreaterThan(500)
  } finally {
    await lab.stop()
  }
})
