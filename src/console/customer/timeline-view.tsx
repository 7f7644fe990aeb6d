import { Nothing } from '../ui/empty.tsx'
import { CUSTOMER_PATH, queryString } from '../ui/format.ts'
import { RetryForm } from '../ui/retry-form.tsx'
import type { CustomerDetails } from './read-details.ts'
import type { CustomerQuery } from './search-form.tsx'
import type { TimelineEvent, TimelineMessage } from './timeline.ts'
import { EventEntry, MessageEntry } from './timeline-entries.tsx'
import { TimelineFilter } from './timeline-filter.tsx'

type Entry = { at: Date; event: TimelineEvent } | { at: Date; message: TimelineMessage }

type Props = { details: CustomerDetails; query: CustomerQuery; readOnly: boolean }

/** Messages and changes of state in one list, the newest first. */
export function Timeline({ details, query, readOnly }: Props) {
  const entries = entriesOf(details, query)
  return (
    <section aria-labelledby="timeline">
      <div class="head">
        <h2 id="timeline">Timeline</h2>
        <TextSwitch details={details} query={query} />
        <TimelineFilter details={details} query={query} />
      </div>
      {entries.length === 0 && <Nothing>No message and no change of state to show.</Nothing>}
      <ol class="timeline">
        {entries.map((entry) =>
          'event' in entry ? (
            <EventEntry event={entry.event} rooms={details.rooms} />
          ) : (
            <MessageEntry message={entry.message} rooms={details.rooms} withText={query.withText}>
              {!readOnly && <RetryButton details={details} message={entry.message} />}
            </MessageEntry>
          ),
        )}
      </ol>
    </section>
  )
}

/** The entries that the filter asks for, the newest first. */
function entriesOf(details: CustomerDetails, { show, room }: CustomerQuery): Entry[] {
  const isShown = ({ chatroomId }: { chatroomId: string | null }) => room === undefined || chatroomId === room
  const messages = show === 'changes' ? [] : details.messages.filter(isShown)
  const all = [...details.events, ...importedCreations(details)]
  const events = show === 'messages' ? [] : all.filter(isShown)
  return [
    ...messages.map((message) => ({ at: message.at, message })),
    ...events.map((event) => ({ at: event.at, event })),
  ].sort((a, b) => b.at.getTime() - a.at.getTime())
}

function RetryButton({ details, message }: { details: CustomerDetails; message: TimelineMessage }) {
  const { status, id, chatroomId, isRetried } = message
  if ((status !== 'failed' && status !== 'unknown') || !id || !chatroomId || isRetried) return null
  const { orgId, customer } = details
  return <RetryForm send={{ orgId, chatroomId, id, status }} customerId={customer.id} />
}

type PartProps = Omit<Props, 'readOnly'>

/** Message text is hidden by default. The log records who has it shown. */
function TextSwitch({ details, query: { words, withText, show, room } }: PartProps) {
  const here = { org: details.orgId, q: words, id: details.customer.id, show, room }
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
