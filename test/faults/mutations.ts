import { rm } from 'node:fs/promises'
import { formatTable } from '../../src/cli/table.ts'
import { formatViolation, type Violation } from '../support/faults/checks/report.ts'
import { type FaultyPostgres, startFaultyPostgres } from '../support/faults/lab/postgres.ts'
import { makeFolder } from '../support/faults/lab/stores.ts'
import { assertApplies } from '../support/faults/mutations/mutant.ts'
import type { Mutation } from '../support/faults/mutations/mutation.ts'
import { MUTATIONS } from '../support/faults/mutations/mutations.ts'
import { playMutation } from '../support/faults/mutations/play.ts'

const print = (line: string) => void process.stdout.write(`${line}\n`)

/**
 * Takes each guard away once, and shows that the checks notice; each guard's scenario is also played to the product as
 * it is, where the checks must find nothing. `wanted` chooses guards by parts of their names; without it, all.
 * Resolves with whether every loss was noticed, and nothing was found where nothing was broken.
 * @throws Error at once when a mutation no longer fits the code.
 */
export async function checkMutations(wanted: string[]): Promise<boolean> {
  if (wanted[0] === '--list') {
    for (const { guard } of MUTATIONS) print(guard)
    return true
  }
  const chosen = MUTATIONS.filter(
    ({ guard }) => wanted.length === 0 || wanted.some((part) => guard.includes(part)),
  )
  if (chosen.length === 0) throw new Error(`no guard's name has any of these in it: ${wanted.join(', ')}`)
  for (const edit of chosen.flatMap(({ edits }) => edits)) await assertApplies(edit)
  const folder = await makeFolder('usher-mutations-')
  const postgres = await startFaultyPostgres(folder)
  try {
    const results: Result[] = []
    for (const mutation of chosen) results.push(await checkMutation(postgres, mutation))
    print(`\n${formatTable(['guard', 'with the guard', 'without the guard'], results.map(rowOf))}`)
    return results.every(({ asExpected }) => asExpected)
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

type Result = { guard: string; whole: string; broken: string; asExpected: boolean }

async function checkMutation(postgres: FaultyPostgres, mutation: Mutation): Promise<Result> {
  const { guard, violates } = mutation
  const { whole, broken } = await playMutation(postgres, mutation)
  const noticed = broken.find(({ rule }) => [violates].flat().includes(rule))
  const result = {
    guard,
    whole: whole.length === 0 ? 'no violation' : format(whole),
    broken: noticed ? formatViolation(noticed) : `NOT NOTICED (${format(broken) || 'no violation'})`,
    asExpected: noticed !== undefined && whole.length === 0,
  }
  print(rowOf(result).join(' | '))
  return result
}

const rowOf = ({ guard, whole, broken }: Result) => [guard, whole, broken]

function format(violations: Violation[]): string {
  return violations.map(formatViolation).join('; ')
}
