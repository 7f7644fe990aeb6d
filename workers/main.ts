import { existsSync } from 'node:fs'
import { ConfigError, SetupError } from '../src/config.ts'
import { ListenError } from '../src/http/server.ts'
import { stopOnSignals } from '../src/lifetime.ts'
import { createLogger, logConsole } from '../src/logger.ts'
import { readConfig } from '../src/read-config.ts'
import { startApp } from './app.ts'

const ROLES = ['all', 'server', 'workers'] as const
const STOP_MS = 10_000

/** `node main.js all|server|workers`: runs one process in a role until SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const role = ROLES.find((r) => r === process.argv[2])
  if (!role) throw new ConfigError(`usage: main.js ${ROLES.join('|')}`)
  if (existsSync('.env')) process.loadEnvFile('.env')
  const config = readConfig(process.env, role)
  const log = createLogger(config)
  logConsole(log)
  const app = await startApp(config, role, log, { mayFork: true })
  // Only a receiver is sent requests that would find it gone.
  const delayMs = role === 'workers' ? 0 : config.shutdownDelayMs
  stopOnSignals(app.lifetime, { deadlineMs: STOP_MS, delayMs, exit: (code) => process.exit(code), log })
}

main().catch((error: Error) => {
  const expected = [ConfigError, SetupError, ListenError].some((kind) => error instanceof kind)
  process.stderr.write(`${expected ? error.message : error.stack}\n`)
  process.exit(1)
})
