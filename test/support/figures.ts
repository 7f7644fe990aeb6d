import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../src/project-root.ts'

/** Where runs leave their figures; `npm run faults -- table` prints the table of docs/reliability.md from them. */
export const FIGURES = join(projectRoot(), 'coverage/faults.jsonl')

/** What one test measured under a fault of the matrix. */
export type Figure = {
  /** What was tried, in the plural; a later figure of the same row, engine and `of` replaces an earlier one. */
  of: string
  n: number
  engine?: 'postgres' | 'redis'
  seed?: number
  lost?: number
  doubled?: number
  /** What was otherwise not as promised. */
  wrong?: number
  /** From the end of the fault to the first success; of what a dead worker held, to the last. */
  seconds?: number
  /** Other figures, by what they are of. */
  also?: Record<string, number | string>
}

/** Every random choice of a run follows from it: FAULT_SEED=n makes the same choices again. */
export const SEED = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000)

/** How often a test repeats itself: few times, since the suite should end soon; FAULT_ROUNDS=n makes it n times as many. */
export const rounds = (few: number): number => few * Number(process.env.FAULT_ROUNDS ?? 1)

/** Notes what a test measured for row 1-31 of the matrix. */
export function measured(row: number, figure: Figure): void {
  mkdirSync(join(projectRoot(), 'coverage'), { recursive: true })
  appendFileSync(FIGURES, `${JSON.stringify({ row, ...figure })}\n`)
}
