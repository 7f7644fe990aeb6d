import { once } from 'node:events'
import { ensureCluster } from './cluster.ts'
import { findPlace } from './place.ts'
import { leaveSeat, takeSeat } from './seat.ts'

/**
 * The process that looks after an embedded server for one application process, started by `startEmbedded`.
 * It leaves when the application disconnects, be it by `kill -9`.
 */
export type KeeperMessage = { log: string } | { url: string } | { failure: string }

const applicationGone = once(process, 'disconnect').then(() => 'gone' as const)

// A signal to the whole group reaches the application too; its end, not the signal, is our cue.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

function tell(message: KeeperMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, () => resolve())
  })
}

async function keep(dataDir: string): Promise<void> {
  const place = await findPlace(dataDir, (log) => tell({ log }))
  await ensureCluster(place)
  let seat = await takeSeat(place)
  await tell({ url: seat.url })
  while ((await Promise.race([applicationGone, seat.lost])) !== 'gone') {
    await tell({ log: 'lost the embedded PostgreSQL, starting it again' })
    seat = await takeSeat(place, seat.port)
  }
  await leaveSeat(seat, place)
}

keep(process.argv[2] ?? '').catch(async (error: Error) => {
  await tell({ failure: error.message })
  process.exit(1)
})
