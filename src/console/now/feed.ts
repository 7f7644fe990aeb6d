import { createChannel, createSession, type Session } from 'better-sse'
import type { Queue } from 'bullmq'
import type { Request, Response } from 'express'
import type { Db } from '../../db/client.ts'
import { awaitDurable } from '../../db/durable.ts'
import { isStillAdmitted, orgsOf } from '../../http/person.ts'
import type { Logger } from '../../logger.ts'
import type { FeedFilter } from './feed-filter.ts'
import { type Figures, readFigures } from './figures.ts'
import { inboxTraffic } from './inbox-traffic.ts'
import { createNewMessageReader } from './new-messages.ts'
import { createPoller } from './poller.ts'
import type { RecentMessage } from './recent-messages.ts'
import { createTraffic, type Rates } from './traffic.ts'

export type FeedParts = {
  db: Db
  queues: () => Queue[]
  log: Logger
  /** The renderers of what the stream sends, to HTML. */
  renderRows: (rows: RecentMessage[]) => string
  renderFigures: (figures: Figures, rates: Rates) => string
}

export type Feed = {
  /** The rates measured so far. The call keeps the measurement running for another minute. */
  rates(): Rates
  /** Answers with a stream of events: `rows` as messages are routed, and `figures` every two seconds. */
  stream(req: Request, res: Response, filter: FeedFilter): Promise<void>
}

type Watcher = Session<{ readNewMessages: () => Promise<RecentMessage[]>; req: Request; res: Response }>

/**
 * One poller serves all watchers of this process. It stops a minute after the last of them has left. The stream of a person
 * who may no longer come in, or has other rights by now, ends.
 */
export function createFeed(parts: FeedParts): Feed {
  const { db, log, renderRows } = parts
  const channel = createChannel<Record<string, never>, Watcher['state']>()
  const traffic = createTraffic()
  const isWatched = () => channel.sessionCount > 0

  /** The first rows of a watcher may repeat those of its page, so that none is missing between the two. */
  const sendRows = async (watcher: Watcher) => {
    const rows = await watcher.state.readNewMessages()
    if (rows.length === 0) return
    // The feed shows only rows that a crash of PostgreSQL cannot undo, as every page does.
    await awaitDurable(db)
    if (watcher.isConnected) watcher.push(renderRows(rows), 'rows')
  }
  const sendFigures = async () => {
    traffic.add(await inboxTraffic(db))
    await pushFigures(parts, channel.activeSessions, traffic.rates)
  }
  const onTick = async (n: number) => {
    for (const watcher of channel.activeSessions) {
      const { req, res } = watcher.state
      if (await isStillAdmitted(req)) await sendRows(watcher)
      else res.end()
    }
    if (n % 2 === 0) await sendFigures()
  }
  const { look } = createPoller({ onTick, onStop: traffic.clear, isWatched, log })

  return {
    rates: () => {
      look()
      return traffic.rates
    },
    stream: async (req, res, filter) => {
      const readNewMessages = createNewMessageReader(db, filter)
      channel.register(await createSession(req, res, { state: { readNewMessages, req, res } }))
      look()
    },
  }
}

/** Sends each watcher the figures of the orgs that the person may see; those of the whole installation are read once. */
async function pushFigures(
  { db, queues, renderFigures }: FeedParts,
  watchers: readonly Watcher[],
  rates: Rates,
): Promise<void> {
  const read = async (orgIds: readonly string[] | undefined) =>
    renderFigures(await readFigures(db, queues(), orgIds), rates)
  const seeing = watchers.map((watcher) => ({ watcher, orgIds: orgsOf(watcher.state.req) }))
  const ofAll = seeing.some(({ orgIds }) => orgIds === undefined) ? await read(undefined) : ''
  for (const { watcher, orgIds } of seeing) {
    const figures = orgIds ? await read(orgIds) : ofAll
    if (watcher.isConnected) watcher.push(figures, 'figures')
  }
}
