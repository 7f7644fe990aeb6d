import { existsSync, readFileSync } from 'node:fs'
import { formatMatrix } from '../support/faults/matrix-table.ts'
import { FIGURES } from '../support/figures.ts'
import { endWithNpm } from '../support/watched.ts'
import { checkMutations } from './mutations.ts'
import { runSoak, SOAK_OPTIONS } from './soak.ts'

const HELP = `npm run faults -- matrix [FILTER ...]   tests each fault of docs/reliability.md (FAULT_ROUNDS=n: n times as often)
npm run faults -- table               prints the table of docs/reliability.md from the figures of the latest runs
npm run faults -- soak [OPTIONS]      random faults under load on both queues:
    ${SOAK_OPTIONS}
npm run faults -- mutations [PART_OF_A_GUARD'S_NAME ...] [--list]
                                      takes each guard away once, and shows that the checks notice`

/** Each resolves with whether all was as promised. */
const COMMANDS: Record<string, (args: string[]) => Promise<boolean>> = {
  matrix: runMatrix,
  table: printTable,
  soak: runSoak,
  mutations: checkMutations,
}

/** Runs the command that the first word names, with the words after it. */
async function main([name = '', ...args]: string[]): Promise<boolean> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command && !args.includes('--help')) return command(args)
  process.stdout.write(`${HELP}\n`)
  return args.includes('--help')
}

async function runMatrix(filters: string[]): Promise<boolean> {
  const { startVitest } = await import('vitest/node')
  const vitest = await startVitest('test', filters, { project: 'matrix', run: true, watch: false })
  await vitest.close()
  return (process.exitCode ?? 0) === 0
}

async function printTable(): Promise<boolean> {
  if (!existsSync(FIGURES)) throw new Error(`${FIGURES} is missing: npm run faults -- matrix writes it`)
  process.stdout.write(`${formatMatrix(readFileSync(FIGURES, 'utf8'))}\n`)
  return true
}

endWithNpm()
const asPromised = await main(process.argv.slice(2))
// Connections that were cut by a fault may linger and would keep this process alive.
process.exit(asPromised ? 0 : 1)
