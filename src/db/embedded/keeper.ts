import { once } from 'node:events'
import { ensureCluster } from './cluster.ts'
import type { KeeperMessage } from './keeper-message.ts'
import { joinServer, leaveServer } from './membership.ts'
import { findPaths } from './paths.ts'

/**
 * The main module of the keeper: the process that looks after an embedded server for one application process, which
 * forks it in `startEmbedded`. It leaves the server when the application disconnects, also when that was killed.
 */
const applicationEnded = once(process, 'disconnect').then(() => 'ended' as const)

// A signal to the process group also reaches the application. The keeper follows the application's end, not the signal.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

function report(message: KeeperMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, () => resolve())
  })
}

async function keep(dataDir: string): Promise<void> {
  const paths = await findPaths(dataDir, (log) => report({ log }))
  await ensureCluster(paths)
  let membership = await joinServer(paths)
  await report({ url: membership.url })
  while ((await Promise.race([applicationEnded, membership.lost])) !== 'ended') {
    await report({ log: 'the embedded PostgreSQL was lost: starting it again' })
    membership = await joinServer(paths, membership.port)
  }
  await leaveServer(membership, paths)
}

keep(process.argv[2] ?? '').catch(async (error: Error) => {
  await report({ failure: error.message })
  process.exit(1)
})
