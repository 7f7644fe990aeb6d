import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { projectRoot } from '../../src/project-root.ts'
import { endWithNpm } from '../support/watched.ts'

const HELP = `npm run faults -- matrix [FILTER]   each fault of docs/reliability.md once (FAULT_ROUNDS=n: n times as often)
npm run faults -- soak [--help]     random faults under load
npm run faults -- mutations [WORD]  breaks each guard and shows that the checker notices
npm run faults -- table             the table of docs/reliability.md from the figures of these runs`

const COMMANDS = {
  matrix: runMatrix,
  soak: () => import('./soak.ts'),
  mutations: () => import('./mutations.ts'),
  table: () => import('../support/faults-table.ts'),
}

/** Runs the command that the first word names, with the words after it. */
async function main(): Promise<void> {
  endWithNpm()
  const [word = ''] = process.argv.splice(2, 1)
  if (Object.hasOwn(COMMANDS, word)) await COMMANDS[word as keyof typeof COMMANDS]()
  else {
    process.stderr.write(`${HELP}\n`)
    process.exitCode = 1
  }
}

async function runMatrix(): Promise<void> {
  const vitest = join(projectRoot(), 'node_modules/vitest/vitest.mjs')
  const args = [vitest, 'run', '--project', 'matrix', ...process.argv.slice(2)]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}

await main()
