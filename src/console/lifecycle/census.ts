import type { Db } from '../../db/client.ts'
import { within } from '../../deadline.ts'
import type { Changes } from '../../lifecycle/changes.ts'
import { previewSweep } from '../../lifecycle/preview-sweep.ts'
import type { Logger } from '../../logger.ts'
import { changesByDay, DAYS, type DayOfOrg } from './changes-by-day.ts'
import { countRooms, type RoomCounts } from './count-rooms.ts'

/** The figures that take long to count, with the time of the count. */
export type Census = {
  at: Date
  rooms: Map<string, RoomCounts>
  /** What the sweeps will change within one day, and within seven days. */
  dueToday: Changes
  dueThisWeek: Changes
  days: DayOfOrg[]
}

const MAX_AGE_MS = 30_000
/** A small installation is counted within this time, so its first page is complete. */
const MAX_WAIT_MS = 100
const DAY_MS = 86_400_000

/**
 * Takes the census in the background, one at a time and only on demand. `read` returns within 0.1 s: the last census,
 * which may be old, or undefined while the first one is being taken.
 */
export function createCensus({ db, log }: { db: Db; log: Logger }) {
  let last: Census | undefined
  let running: Promise<void> | undefined

  const renew = async (now: Date) => {
    try {
      last = await takeCensus(db, now)
    } catch (err) {
      log.warn({ err }, 'the chatrooms could not be counted')
    } finally {
      running = undefined
    }
  }
  return {
    read: async (now: Date): Promise<Census | undefined> => {
      const isFresh = last && now.getTime() - last.at.getTime() < MAX_AGE_MS
      if (!isFresh) running ??= renew(now)
      const wait = running
      if (wait) await within(MAX_WAIT_MS, () => wait).catch(() => undefined)
      return last
    },
  }
}

async function takeCensus(db: Db, now: Date): Promise<Census> {
  const ahead = (days: number) => new Date(now.getTime() + days * DAY_MS)
  const since = new Date(Math.floor(now.getTime() / DAY_MS - (DAYS - 1)) * DAY_MS)
  const rooms = await countRooms(db)
  const dueToday = await previewSweep(db, ahead(1))
  const dueThisWeek = await previewSweep(db, ahead(7))
  return { at: now, rooms, dueToday, dueThisWeek, days: await changesByDay(db, since) }
}
