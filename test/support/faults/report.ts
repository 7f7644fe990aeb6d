/** An invariant that does not hold: how often, and a few of the cases. */
export type Violation = { rule: string; count: number; samples: string[] }

export type Report = {
  /** Notes one case against a rule, said as what is wrong. */
  add(rule: string, sample: string): void
  violations(): Violation[]
}

const SAMPLES = 5

export function createReport(): Report {
  const found = new Map<string, Violation>()
  return {
    add(rule, sample) {
      const known = found.get(rule) ?? { rule, count: 0, samples: [] }
      known.count += 1
      if (known.samples.length < SAMPLES) known.samples.push(sample)
      found.set(rule, known)
    },
    violations: () => [...found.values()],
  }
}

/** The violations as text, for an assertion's message or a terminal. */
export function formatViolations(violations: Violation[]): string {
  return violations
    .map(({ rule, count, samples }) => `${rule}: ${count}\n    ${samples.join('\n    ')}`)
    .join('\n')
}
