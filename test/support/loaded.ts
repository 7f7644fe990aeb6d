import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { loadavg } from 'node:os'
import { spawnWatched } from './watched.ts'

const LOOPS = 2

/**
 * `npx tsx test/support/loaded.ts [COMMAND ARGUMENT ...]`: runs `npm test`, or another command, beside two processes
 * that use a core each, and prints how long it took. A loaded machine must not make a test fail: exits as the command.
 */
async function main(): Promise<void> {
  const [program = 'npm', ...args] = process.argv.length > 2 ? process.argv.slice(2) : ['npm', 'test']
  for (let i = 0; i < LOOPS; i += 1) spawnWatched(process.execPath, ['-e', 'for (;;) {}'])
  const began = performance.now()
  const child = spawn(program, args, { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  const seconds = Math.round((performance.now() - began) / 1_000)
  const load = loadavg().map((n) => n.toFixed(1))
  console.log(
    `${[program, ...args].join(' ')} beside ${LOOPS} busy loops: exit code ${code}, ${seconds} s, load average ${load.join(' ')}`,
  )
  process.exit(code ?? 1)
}

await main()
