import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../project-root.ts'
import type { KeeperMessage } from './keeper-message.ts'

/** A running server: its connection string, and how to give it up. The last application that does so stops the server. */
export type Embedded = { url: string; stop(): Promise<void> }

type Options = {
  dataDir: string
  /** Receives single lines that an operator should see. */
  log: (line: string) => void
}

/**
 * Starts PostgreSQL from the npm package on a free port of 127.0.0.1, or joins the server that already runs in `dataDir`.
 * A keeper process of its own does so: Ctrl+C does not reach it, and it stops the server when this process ends in any
 * way. The data is durable.
 * @throws Error when the server cannot be started, with its last log lines if there are any.
 */
export async function startEmbedded(options: Options): Promise<Embedded> {
  const keeper = forkKeeper(options.dataDir)
  const { url, reasonOfEnd } = await untilRunning(keeper, options)
  const exited = new Promise((resolve) => keeper.once('exit', resolve))
  let isStopping = false
  exited.then(() => {
    if (!isStopping) options.log(`the embedded PostgreSQL has no keeper any more: ${reasonOfEnd()}`)
  })
  // The keeper must not hold up the end of a process that forgot to stop it.
  keeper.unref()
  keeper.channel?.unref()
  return {
    url,
    stop: async () => {
      isStopping = true
      keeper.ref()
      if (keeper.connected) keeper.disconnect()
      await exited
    },
  }
}

function forkKeeper(dataDir: string): ChildProcess {
  const entry = join(projectRoot(), 'dist/src/db/embedded/keeper.js')
  if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build`)
  return fork(entry, [dataDir], {
    detached: true,
    execArgv: [],
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

/** Resolves when the keeper has joined the server. Its log lines are passed on from then on as well. */
async function untilRunning(keeper: ChildProcess, { dataDir, log }: Options) {
  let reason = 'the keeper process ended'
  const url = await new Promise<string>((resolve, reject) => {
    keeper.on('message', (message: KeeperMessage) => {
      if ('url' in message) resolve(message.url)
      else if ('log' in message) log(message.log)
      else reason = message.failure
    })
    keeper.once('error', reject)
    keeper.once('exit', () =>
      reject(new Error(`cannot start the embedded PostgreSQL in ${dataDir}: ${reason}`)),
    )
  })
  return { url, reasonOfEnd: () => reason }
}
