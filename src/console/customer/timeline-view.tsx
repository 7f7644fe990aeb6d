import { query } from '../ui/format.ts'
import { MASK } from '../ui/mask.ts'
import { Badge, Moment, Nothing } from '../ui/parts.tsx'
import type { CustomerQuestion } from './page.tsx'
import type { CustomerFile } from './read-file.ts'
import type { TimelineEvent, TimelineMessage } from './timeline.ts'

type Entry = { at: Date; event: TimelineEvent } | { at: Date; message: TimelineMessage }

type Props = { file: CustomerFile; question: CustomerQuestion }

/** Messages and changes of state together, the newest first. */
export function CustomerTimeline({ file, question }: Props) {
  const entries: Entry[] = [
    ...file.messages.map((message) => ({ at: message.at, message })),
    ...[...file.events, ...untold(file)].map((event) => ({ at: event.at, event })),
  ].sort((a, b) => b.at.getTime() - a.at.getTime())
  return (
    <section aria-labelledby="timeline">
      <div class="head">
        <h2 id="timeline">Timeline</h2>
        <TextSwitch file={file} question={question} />
      </div>
      {entries.length === 0 && <Nothing>Nothing happened yet.</Nothing>}
      <ol class="timeline">
        {entries.map((entry) =>
          'event' in entry ? (
            <EventEntry file={file} event={entry.event} />
          ) : (
            <MessageEntry file={file} message={entry.message} withText={question.withText} />
          ),
        )}
      </ol>
    </section>
  )
}

/** A chatroom by its contact, which people know better than its id. */
export function RoomName({ file, id }: { file: CustomerFile; id: string }) {
  const room = file.rooms.find((other) => other.id === id)
  return room ? <a href={`#room-${id}`}>chatroom of {room.crmId}</a> : <span>chatroom {id}</span>
}

/** Who looks at texts does so on purpose, and leaves a line in the log. */
function TextSwitch({ file, question: { words, withText } }: Props) {
  const here = { org: file.orgId, q: words, id: file.customer.id }
  const there = withText ? here : { ...here, text: 'show' }
  return (
    <a
      class="button"
      href={`/console/customer${query(there)}#timeline`}
      title="To show it is noted in the log"
    >
      {withText ? 'Hide text' : 'Show text'}
    </a>
  )
}

/** Chatrooms tell when they were made, also those that came with an import, of which no event tells. */
function untold({ rooms, events }: CustomerFile): TimelineEvent[] {
  const told = new Set(events.filter((e) => e.kind === 'chatroom.created').map((e) => e.chatroomId))
  return rooms
    .filter((room) => !told.has(room.id))
    .map((room) => ({
      ...{ id: `created-${room.id}`, kind: 'chatroom.created', actor: 'import', reason: null, wamid: null },
      ...{ chatroomId: room.id, at: room.createdAt },
    }))
}

const WORDS: Record<string, string> = {
  'chatroom.created': 'Chatroom created',
  'chatroom.deactivated': 'Chatroom deactivated',
  'chatroom.reactivated': 'Chatroom reactivated',
  'chatroom.activated': 'Chatroom activated',
  'chatroom.expired': 'Chatroom expired',
  'chatroom.handed_over': 'Chatroom handed over',
  'contact.expired': 'Contact expired',
  'contact.created': 'Contact created',
}

function EventEntry({ file, event }: { file: CustomerFile; event: TimelineEvent }) {
  const { kind, actor, reason, chatroomId, wamid, at } = event
  return (
    <li class={`event ${kind.split('.')[1] ?? ''}`}>
      <Moment at={at} />
      <div>
        <p>
          <b>{WORDS[kind] ?? kind.replace(/[._]/g, ' ')}</b>
          {wamid && (
            <>
              {' by message '}
              <a class="id" href={`#${wamid}`}>
                {wamid}
              </a>
            </>
          )}
        </p>
        <p class="note">
          {[reason, `by ${actor}`].filter(Boolean).join(', ')}
          {chatroomId && (
            <>
              {' · '}
              <RoomName file={file} id={chatroomId} />
            </>
          )}
        </p>
      </div>
    </li>
  )
}

function MessageEntry({
  file,
  message,
  withText,
}: {
  file: CustomerFile
  message: TimelineMessage
  withText: boolean
}) {
  const { wamid, direction, type, at, route, reason, chatroomId, status } = message
  return (
    <li class={`message ${direction}`} id={wamid}>
      <Moment at={at} />
      <div>
        <p>
          <b>
            {direction === 'in' ? 'Customer wrote' : direction === 'out' ? 'We wrote' : 'Sent from the app'}
          </b>{' '}
          <span class="dim">{type}</span> {route && <Badge of={route} />}{' '}
          {status && <Badge of={`is-${status}`}>{status}</Badge>}
        </p>
        <p class="text">{withText ? textOf(message) : MASK}</p>
        <p class="note">
          {reason}
          {chatroomId && (
            <>
              {' · '}
              <RoomName file={file} id={chatroomId} />
            </>
          )}
          {' · '}
          <span class="id">{wamid}</span>
        </p>
      </div>
    </li>
  )
}

function textOf({ payload, type }: TimelineMessage): string {
  const text = payload?.text as { body?: unknown } | undefined
  return typeof text?.body === 'string' ? text.body : JSON.stringify(payload?.[type] ?? payload)
}
