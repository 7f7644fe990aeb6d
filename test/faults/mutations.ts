import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatTable } from '../../src/cli/table.ts'
import { check } from '../support/faults/checker.ts'
import { drain } from '../support/faults/drain.ts'
import { startLab } from '../support/faults/lab.ts'
import { createMutant } from '../support/faults/mutant.ts'
import { MUTATIONS, type Mutation } from '../support/faults/mutations.ts'
import { type FaultyPostgres, startFaultyPostgres } from '../support/faults/postgres.ts'
import type { Violation } from '../support/faults/report.ts'

const SEED = 20261121
const DRAIN_MS = 25_000

const print = (line: string) => process.stdout.write(`${line}\n`)

/**
 * Breaks each guard once and shows that the checker notices; each guard's scenario is also played to the product as
 * it is, where the checker must find nothing. Words after the command choose guards by part of their name. Exits 1
 * when a broken guard goes unnoticed, or something is found where nothing is broken.
 */
async function main(): Promise<void> {
  const wanted = process.argv.slice(2)
  const chosen = MUTATIONS.filter(
    ({ guard }) => wanted.length === 0 || wanted.some((word) => guard.includes(word)),
  )
  const folder = await mkdtemp(join(tmpdir(), 'usher-mutations-'))
  await chmod(folder, 0o755)
  const postgres = await startFaultyPostgres(folder)
  const rows: string[][] = []
  try {
    for (const mutation of chosen) {
      const whole = await play(postgres, { ...mutation, edits: [], sql: [] })
      const broken = await play(postgres, mutation)
      const found = broken.find(({ rule }) => rule.includes(mutation.noticed))
      if (!found || whole.length > 0) process.exitCode = 1
      const unbroken = whole.length === 0 ? 'clean' : `NOT CLEAN: ${text(whole)}`
      rows.push([
        mutation.guard,
        unbroken,
        found ? text([found]) : `UNNOTICED (${text(broken) || 'nothing found'})`,
      ])
      print(rows.at(-1)!.join(' | '))
    }
    print(`\n${formatTable(['guard taken away', 'before', 'violation noticed'], rows)}`)
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The scenario on a fresh database; what the checker found. */
async function play(postgres: FaultyPostgres, mutation: Mutation): Promise<Violation[]> {
  const { edits, sql = [], scenario, oddities = {} } = mutation
  const mutant = edits.length > 0 ? await createMutant(edits) : undefined
  const lab = await startLab({
    engine: 'postgres',
    seed: SEED,
    receivers: 2,
    workers: 1,
    postgres,
    cast: { busy: 16, gone: 16 },
    oddities: { stranger: 0, late: 0, ...oddities },
    ...(mutant && { root: mutant.root }),
  })
  try {
    for (const statement of sql) await lab.db.$client.query(statement)
    await scenario(lab)
    await lab.meta.settled(5_000)
    await drain(lab, { withinMs: DRAIN_MS, hurry: true })
    await lab.meta.settled(5_000)
    await drain(lab, { withinMs: 5_000, hurry: true })
    return (await check(lab)).violations
  } finally {
    await lab.stop()
    await mutant?.remove()
  }
}

function text(violations: Violation[]): string {
  return violations.map(({ rule, count }) => `${rule}: ${count}`).join('; ')
}

await main()
process.exit()
