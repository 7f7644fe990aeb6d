import { Nothing } from '../ui/empty.tsx'
import { queryString } from '../ui/format.ts'
import type { CustomerDetails } from './read-details.ts'
import { CUSTOMER_PATH, type CustomerQuery } from './search-form.tsx'
import type { TimelineEvent, TimelineMessage } from './timeline.ts'
import { EventEntry, MessageEntry } from './timeline-entries.tsx'

type Entry = { at: Date; event: TimelineEvent } | { at: Date; message: TimelineMessage }

type Props = { details: CustomerDetails; query: CustomerQuery }

/** Messages and changes of state in one list, the newest first. */
export function Timeline({ details, query }: Props) {
  const entries: Entry[] = [
    ...details.messages.map((message) => ({ at: message.at, message })),
    ...[...details.events, ...importedCreations(details)].map((event) => ({ at: event.at, event })),
  ].sort((a, b) => b.at.getTime() - a.at.getTime())
  return (
    <section aria-labelledby="timeline">
      <div class="head">
        <h2 id="timeline">Timeline</h2>
        <TextSwitch details={details} query={query} />
      </div>
      {entries.length === 0 && <Nothing>No messages and no changes of state yet.</Nothing>}
      <ol class="timeline">
        {entries.map((entry) =>
          'event' in entry ? (
            <EventEntry event={entry.event} rooms={details.rooms} />
          ) : (
            <MessageEntry message={entry.message} rooms={details.rooms} withText={query.withText} />
          ),
        )}
      </ol>
    </section>
  )
}

/** Message text is hidden by default. The log records who has it shown. */
function TextSwitch({ details, query: { words, withText } }: Props) {
  const here = { org: details.orgId, q: words, id: details.customer.id }
  const there = withText ? here : { ...here, text: 'show' }
  return (
    <a
      class="button"
      href={`${CUSTOMER_PATH}${queryString(there)}#timeline`}
      title="The log records who has text shown"
    >
      {withText ? 'Hide text' : 'Show text'}
    </a>
  )
}

/** An imported chatroom has no `chatroom.created` event, so one is derived from the chatroom itself. */
function importedCreations({ rooms, events }: CustomerDetails): TimelineEvent[] {
  const recorded = new Set(events.filter((e) => e.kind === 'chatroom.created').map((e) => e.chatroomId))
  return rooms
    .filter((room) => !recorded.has(room.id))
    .map((room) => ({
      ...{ id: `created-${room.id}`, kind: 'chatroom.created', actor: 'import', reason: null, wamid: null },
      ...{ chatroomId: room.id, at: room.createdAt },
    }))
}
