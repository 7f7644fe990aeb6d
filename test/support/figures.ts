import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectRoot } from '../../src/project-root.ts'
import type { Account } from './faults/checks/account.ts'

/** Where runs leave their figures; `npm run faults -- table` prints the table of docs/reliability.md from them. */
export const FIGURES = join(projectRoot(), 'coverage/faults.jsonl')

/** What one test measured under a fault of the matrix. */
export type Figure = {
  /** What was tried, in the plural; a later figure of the same row, engine and `of` replaces an earlier one. */
  of: string
  n: number
  engine?: 'postgres' | 'redis'
  seed?: number
  /** What was lost, doubled, misplaced or invented, as `accountFor` counted it. */
  account?: Omit<Account, 'acknowledged'>
  /** The cases that were otherwise not as promised. */
  wrong?: readonly unknown[]
  /** From the end of the fault to the first success; for what a dead worker had claimed, to the last. */
  seconds?: number
  /** Other figures, by name. */
  also?: Record<string, number | string>
}

/** A figure as published: cases by number. */
export type PublishedFigure = Omit<Figure, 'account' | 'wrong'> & {
  row: number
  counts: { lost?: number; doubled?: number; misplaced?: number; invented?: number; wrong?: number }
}

/** Every random choice of a run follows from it: FAULT_SEED=n makes the same choices again. */
export const SEED = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000)

/** How often a test repeats itself: few times, so that the suite ends soon; FAULT_ROUNDS=n makes it n times as many. */
export const rounds = (few: number): number => few * Number(process.env.FAULT_ROUNDS ?? 1)

/**
 * Publishes what a test measured for a row of the matrix, counted from 1.
 * @throws Error when anything was lost, doubled, misplaced, invented or wrong: such a figure is not published.
 */
export function publishFigure(row: number, { account, wrong, ...figure }: Figure): void {
  const counts: PublishedFigure['counts'] = {}
  if (account) {
    const { lost, doubled, misplaced, invented } = account
    Object.assign(counts, { lost, doubled, misplaced, invented })
  }
  if (wrong) counts.wrong = wrong.length
  if (Object.values(counts).some((count) => count !== 0))
    throw new Error(`row ${row}, ${figure.of}: ${JSON.stringify({ ...counts, wrong })}`)
  const published: PublishedFigure = { row, ...figure, counts }
  mkdirSync(dirname(FIGURES), { recursive: true })
  appendFileSync(FIGURES, `${JSON.stringify(published)}\n`)
}
