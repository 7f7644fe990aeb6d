import type { Db } from '../../db/client.ts'
import {
  type TimelineEvent,
  type TimelineMessage,
  type TimelinePlace,
  type TimelineQuery,
  timelineEvents,
  timelineMessages,
} from './timeline.ts'

export type Entry = { at: Date; event: TimelineEvent } | { at: Date; message: TimelineMessage }

/** A page of the timeline, the newest entries first, and the place of the next page. */
export type TimelinePage = { entries: Entry[]; next: TimelinePlace | undefined }

type Asked = Omit<TimelineQuery, 'limit'> & {
  show: 'messages' | 'changes' | undefined
  withText: boolean
}

const PAGE_SIZE = 30

/** Reads a page of the timeline of a customer. */
export async function readTimeline(db: Db, { show, withText, ...asked }: Asked): Promise<TimelinePage> {
  const query = { ...asked, limit: PAGE_SIZE + 1 }
  const [messages, events] = await Promise.all([
    show === 'changes' ? [] : timelineMessages(db, query, withText),
    show === 'messages' ? [] : timelineEvents(db, query),
  ])
  const entries = merge(messages, events).slice(0, PAGE_SIZE)
  const isLast = messages.length + events.length <= PAGE_SIZE
  return { entries, next: isLast ? undefined : placeBehind(entries, asked.before) }
}

/** Both lists in one, by time; each keeps its own order, so that the next page misses nothing of either. */
function merge(messages: TimelineMessage[], events: TimelineEvent[]): Entry[] {
  const entries: Entry[] = []
  let [m, e] = [0, 0]
  for (;;) {
    const [message, event] = [messages[m], events[e]]
    if (message && (!event || message.at >= event.at)) {
      entries.push({ at: message.at, message })
      m += 1
    } else if (event) {
      entries.push({ at: event.at, event })
      e += 1
    } else return entries
  }
}

const FIRST: TimelinePlace = [253_402_300_799_000, '0', 'ffffffff-ffff-4fff-bfff-ffffffffffff']

function placeBehind(entries: Entry[], before: TimelinePlace | undefined): TimelinePlace {
  const [ms, seq, id] = before ?? FIRST
  const message = entries.findLast((entry) => 'message' in entry)?.message
  const event = entries.findLast((entry) => 'event' in entry)?.event
  return [message?.at.getTime() ?? ms, message?.seq ?? seq, event?.id ?? id]
}
