import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../project-root.ts'
import type { KeeperMessage } from './keeper.ts'

/** A running server: its connection string, and how to give it up; the last user's `stop` stops it. */
export type Embedded = { url: string; stop(): Promise<void> }

/**
 * Starts PostgreSQL from the npm package on a free port of 127.0.0.1, or joins the one that already runs in
 * `dataDir`, through a keeper process of its own: Ctrl+C does not hit it, and it stops the server when this
 * process ends, however it ends. Data is durable. `log` gets single lines worth an operator's attention.
 * @throws Error, with the server's last log lines if there are any, when it cannot be started.
 */
export async function startEmbedded(options: {
  dataDir: string
  log: (line: string) => void
}): Promise<Embedded> {
  const entry = join(projectRoot(), 'dist/src/db/embedded/keeper.js')
  if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build`)
  const keeper = fork(entry, [options.dataDir], {
    detached: true,
    execArgv: [],
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let lastWords = 'its keeper ended'
  const url = await new Promise<string>((resolve, reject) => {
    keeper.on('message', (message: KeeperMessage) => {
      if ('url' in message) resolve(message.url)
      else if ('log' in message) options.log(message.log)
      else lastWords = message.failure
    })
    keeper.once('error', reject)
    keeper.once('exit', () =>
      reject(new Error(`cannot start the embedded PostgreSQL in ${options.dataDir}: ${lastWords}`)),
    )
  })
  const exited = new Promise((resolve) => keeper.once('exit', resolve))
  let stopping = false
  exited.then(() => {
    if (!stopping) options.log(`nobody looks after the embedded PostgreSQL any more: ${lastWords}`)
  })
  // A process that forgets to stop it must still be able to end.
  keeper.unref()
  keeper.channel?.unref()
  return {
    url,
    stop: async () => {
      stopping = true
      keeper.ref()
      if (keeper.connected) keeper.disconnect()
      await exited
    },
  }
}
