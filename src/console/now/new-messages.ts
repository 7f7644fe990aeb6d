import type { Db } from '../../db/client.ts'
import { type RecentMessage, recentMessages } from './recent-messages.ts'

/** How many messages are read at a time: of one org, and of all orgs. */
export const PER_ORG = 20
export const PER_READ = 60

/**
 * How far behind the latest sequence each read starts. Batches commit out of order, so messages of earlier deliveries may
 * appear later: 256 deliveries, each with room for 4,096 messages.
 */
const OVERLAP = 256 * 4_096
const MAX_REMEMBERED = 5_000

/** Creates a function that returns the messages routed since its last call, each once, in whatever order they commit. */
export function createNewMessageReader(db: Db): () => Promise<RecentMessage[]> {
  let latest = 0
  const returned = new Set<string>()
  return async () => {
    const rows = await recentMessages(db, { after: latest - OVERLAP, perOrg: PER_ORG, limit: PER_READ })
    const fresh = rows.filter((row) => !returned.has(keyOf(row)))
    for (const row of fresh) returned.add(keyOf(row))
    for (const key of returned) {
      if (returned.size <= MAX_REMEMBERED) break
      returned.delete(key)
    }
    latest = Math.max(latest, ...rows.map((row) => row.seq))
    return fresh
  }
}

const keyOf = ({ orgId, wamid }: RecentMessage) => `${orgId}\n${wamid}`
