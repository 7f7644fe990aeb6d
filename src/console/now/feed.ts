import { createChannel, createSession, type Session } from 'better-sse'
import type { Queue } from 'bullmq'
import type { Request, Response } from 'express'
import type { Db } from '../../db/client.ts'
import { awaitDurable } from '../../db/durable.ts'
import type { Logger } from '../../logger.ts'
import { type Figures, readFigures } from './figures.ts'
import { inboxTraffic } from './inbox-traffic.ts'
import { createNewMessageReader } from './new-messages.ts'
import { createPoller } from './poller.ts'
import { latestMessages, type RecentMessage } from './recent-messages.ts'
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
  stream(req: Request, res: Response, orgId: string | undefined): Promise<void>
}

type Filter = { orgId: string | undefined }
type Watcher = Session<Filter>

/** One poller serves all watchers of this process. It stops a minute after the last of them has left. */
export function createFeed({ db, queues, log, renderRows, renderFigures }: FeedParts): Feed {
  const channel = createChannel<Record<string, never>, Filter>()
  const traffic = createTraffic()
  const readNewMessages = createNewMessageReader(db)
  const isWatched = () => channel.sessionCount > 0

  /** What is shown must be durable, as on every page. */
  const push = async (watchers: () => readonly Watcher[], rows: RecentMessage[]) => {
    if (rows.length > 0) await awaitDurable(db)
    pushRows(watchers(), rows, renderRows)
  }
  const sendFigures = async () => {
    traffic.add(await inboxTraffic(db))
    if (!isWatched()) return
    channel.broadcast(renderFigures(await readFigures(db, queues()), traffic.rates), 'figures')
  }
  const onTick = async (n: number) => {
    if (isWatched()) await push(() => channel.activeSessions, await readNewMessages())
    if (n % 2 === 0) await sendFigures()
  }
  const { look } = createPoller({ onTick, onStop: traffic.clear, isWatched, log })

  return {
    rates: () => {
      look()
      return traffic.rates
    },
    stream: async (req, res, orgId) => {
      const session = await createSession(req, res, { state: { orgId } })
      channel.register(session)
      look()
      // Messages may have been routed between the page and its stream. The page drops those it has already.
      const rows = await latestMessages(db, orgId)
      await push(() => (session.isConnected ? [session] : []), rows)
    },
  }
}

function pushRows(
  watchers: readonly Watcher[],
  rows: RecentMessage[],
  render: FeedParts['renderRows'],
): void {
  for (const watcher of watchers) {
    const { orgId } = watcher.state
    const visible = rows.filter((row) => orgId === undefined || row.orgId === orgId)
    if (visible.length > 0) watcher.push(render(visible), 'rows')
  }
}
