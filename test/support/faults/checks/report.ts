import { type Kind, RULES, type Rule } from './rules.ts'

/** A rule that does not hold: in how many cases, and a few of them. */
export type Violation = { rule: Rule; count: number; samples: string[] }

export type Report = {
  /** Notes one case in which a rule does not hold; `sample` says which, in words for the reader of a failed test. */
  add(rule: Rule, sample: string): void
  violations(): Violation[]
}

/** Cases by kind. */
export type Counts = Record<Kind, number>

const SAMPLES = 5

export function createReport(): Report {
  const found = new Map<Rule, Violation>()
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

/** How many cases of each kind the violations make. */
export function countByKind(violations: readonly Violation[]): Counts {
  const counts: Counts = { lost: 0, doubled: 0, misplaced: 0, invented: 0, wrong: 0 }
  for (const { rule, count } of violations) counts[RULES[rule][0]] += count
  return counts
}

/** The violations as text, for an assertion's message or a terminal; '' when there are none. */
export function formatViolations(violations: readonly Violation[]): string {
  return violations
    .map(({ rule, count, samples }) => `${formatViolation({ rule, count })}\n    ${samples.join('\n    ')}`)
    .join('\n')
}

/** One violation in one line: the rule and the number of cases. */
export function formatViolation({ rule, count }: Pick<Violation, 'rule' | 'count'>): string {
  return `VIOLATED: ${RULES[rule][1]} (${RULES[rule][0]}: ${count})`
}
