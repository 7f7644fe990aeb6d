import type { Db } from '../../src/db/client.ts'
import { run } from '../../src/db/statement.ts'
import { LIST_SUBSCRIBED } from '../../src/event-push/find-due.ts'
import type { Producer } from '../../src/queue/producer.ts'

type Parts = { db: Db; producer: Pick<Producer, 'announceEvents'>; onError: (error: unknown) => void }

export type AnnounceEvents = (orgIds: string[], mayWait?: boolean) => void

/** An endpoint that was created since then gets its first events a few seconds late, when workers look for themselves. */
const KNOWN_MS = 2_000

/**
 * Announces events of orgs that have endpoints, with `mayWait` in fewer jobs; of all others it costs nothing. Never throws.
 */
export function createAnnounceEvents({ db, producer, onError }: Parts): AnnounceEvents {
  let subscribed = new Set<string>()
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    try {
      subscribed = new Set(await run(db, LIST_SUBSCRIBED))
      readAt = performance.now()
    } catch (error) {
      onError(error)
    }
    reading = undefined
  }
  const announce: AnnounceEvents = (orgIds, mayWait) =>
    producer.announceEvents(
      orgIds.filter((id) => subscribed.has(id)),
      mayWait,
    )
  return (orgIds, mayWait) => {
    if (orgIds.length === 0) return
    if (performance.now() - readAt < KNOWN_MS) return announce(orgIds, mayWait)
    reading ??= read()
    void reading.then(() => announce(orgIds, mayWait))
  }
}
