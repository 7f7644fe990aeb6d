import type { Db } from '../../db/client.ts'
import type { FeedFilter } from './feed-filter.ts'
import { type RecentMessage, recentMessages, SHOWN_MESSAGES } from './recent-messages.ts'

/** How many messages of one org are read at a time, so that a busy org leaves room for the others. */
const PER_ORG = 20

/**
 * How far behind the latest sequence each read starts. Batches commit out of order, so messages of earlier deliveries may
 * appear later: 256 deliveries, each with room for 4,096 messages.
 */
const OVERLAP = 256 * 4_096
const MAX_REMEMBERED = 5_000

/**
 * Creates a function that returns the messages that fit the filter and were routed since its last call, each once, also
 * when a transaction commits later than one that began after it. The first call returns the latest messages.
 */
export function createNewMessageReader(db: Db, filter: FeedFilter): () => Promise<RecentMessage[]> {
  let latest = 0
  const returned = new Set<string>()
  return async () => {
    const perOrg = latest === 0 ? SHOWN_MESSAGES : PER_ORG
    const rows = await recentMessages(db, filter, { after: latest - OVERLAP, perOrg })
    const fresh = rows.filter((row) => !returned.has(keyOf(row)))
    // The keys of this read come last, so that the old messages of a quiet org are not forgotten, and returned again.
    for (const row of rows) {
      returned.delete(keyOf(row))
      returned.add(keyOf(row))
    }
    for (const key of returned) {
      if (returned.size <= MAX_REMEMBERED) break
      returned.delete(key)
    }
    latest = Math.max(latest, ...rows.map((row) => row.seq))
    return fresh
  }
}

const keyOf = ({ orgId, wamid }: RecentMessage) => `${orgId}\n${wamid}`
