import { createChannel, createSession, type Session } from 'better-sse'
import type { Queue } from 'bullmq'
import type { Request, Response } from 'express'
import type { Db } from '../../db/client.ts'
import type { Logger } from '../../logger.ts'
import { type Figures, readFigures } from './figures.ts'
import { inboxTraffic } from './inbox-traffic.ts'
import { type RecentMessage, recentMessages } from './recent-messages.ts'
import { createTraffic, type Rates } from './traffic.ts'

export type FeedParts = {
  db: Db
  queues: () => Queue[]
  log: Logger
  /** What the stream sends, as HTML. */
  renderRows: (rows: RecentMessage[]) => string
  renderFigures: (figures: Figures, rates: Rates) => string
}

export type Feed = {
  /** The rates so far; asking for them keeps the readings going for a while. */
  rates(): Rates
  /** Answers with a stream of events: `rows` as they are routed, `figures` every other second. */
  stream(req: Request, res: Response, orgId: string | undefined): Promise<void>
}

const TICK_MS = 1_000
/** Readings go on so long after the last look, so that a page opened again shows no gap. */
const LINGER_MS = 60_000
const PER_ORG = 20
const PER_TICK = 60
/** Batches commit out of order: so many deliveries back are looked at again. */
const SLACK = 256 * 4_096
const REMEMBERED = 5_000

/** One poller for all who look, and none while nobody does. */
export function createFeed(parts: FeedParts): Feed {
  const channel = createChannel<Record<string, never>, { orgId: string | undefined }>()
  const traffic = createTraffic()
  const newRows = createCursor(parts.db)
  let isRunning = false
  let lookedAt = 0
  let ticks = 0

  const tick = async () => {
    ticks += 1
    try {
      if (channel.sessionCount > 0) pushRows(channel.activeSessions, await newRows(), parts.renderRows)
      if (ticks % 2 === 0) await tellFigures()
    } catch (err) {
      parts.log.warn({ err }, 'the console could not be brought up to date')
    }
    const isWatched = channel.sessionCount > 0 || Date.now() - lookedAt < LINGER_MS
    if (isWatched) return void setTimeout(tick, TICK_MS).unref()
    isRunning = false
    traffic.clear()
  }
  const tellFigures = async () => {
    traffic.add(await inboxTraffic(parts.db))
    if (channel.sessionCount === 0) return
    channel.broadcast(
      parts.renderFigures(await readFigures(parts.db, parts.queues()), traffic.rates),
      'figures',
    )
  }
  const look = () => {
    lookedAt = Date.now()
    if (isRunning) return
    isRunning = true
    void tick()
  }

  return {
    rates: () => {
      look()
      return traffic.rates
    },
    stream: async (req, res, orgId) => {
      const session = await createSession(req, res, { state: { orgId } })
      channel.register(session)
      look()
      // What came between the page and its stream; the page knows which of it is there already.
      const rows = await recentMessages(parts.db, { orgId, after: 0, perOrg: PER_ORG, limit: PER_TICK })
      if (session.isConnected) pushRows([session], rows, parts.renderRows)
    },
  }
}

type Watcher = Session<{ orgId: string | undefined }>

function pushRows(
  watchers: readonly Watcher[],
  rows: RecentMessage[],
  render: FeedParts['renderRows'],
): void {
  for (const watcher of watchers) {
    const theirs = rows.filter(
      (row) => watcher.state.orgId === undefined || row.orgId === watcher.state.orgId,
    )
    if (theirs.length > 0) watcher.push(render(theirs), 'rows')
  }
}

/** Gives each message once, whatever order they are committed in. */
function createCursor(db: Db) {
  let after = 0
  const told = new Set<string>()
  return async () => {
    const rows = await recentMessages(db, { after: after - SLACK, perOrg: PER_ORG, limit: PER_TICK })
    const fresh = rows.filter((row) => !told.has(keyOf(row)))
    for (const row of fresh) told.add(keyOf(row))
    for (const key of told) {
      if (told.size <= REMEMBERED) break
      told.delete(key)
    }
    after = Math.max(after, ...rows.map((row) => row.seq))
    return fresh
  }
}

const keyOf = ({ orgId, wamid }: RecentMessage) => `${orgId}\n${wamid}`
