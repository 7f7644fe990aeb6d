import type { ComponentChildren } from 'preact'
import { cutToBytes } from '../ui/cut.ts'
import { MASK } from '../ui/mask.ts'
import { Badge, Moment } from '../ui/parts.tsx'
import { eventName } from './event-names.ts'
import { RoomName } from './room-name.tsx'
import type { RoomView } from './rooms.ts'
import type { TimelineEvent, TimelineMessage } from './timeline.ts'

export const DIRECTION_NAMES = {
  in: 'Customer wrote',
  out: 'Sent by Usher',
  echo: 'Sent from the WhatsApp Business app',
}

/** One change of state. */
export function EventEntry({ event, rooms }: { event: TimelineEvent; rooms: RoomView[] }) {
  const { kind, actor, reason, wamid, at } = event
  return (
    <li class={`event ${kind.split('.')[1] ?? ''}`}>
      <Moment at={at} />
      <div>
        <p>
          <b>{eventName(kind)}</b>
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
          <InRoom rooms={rooms} entry={event} />
        </p>
      </div>
    </li>
  )
}

type MessageProps = {
  message: TimelineMessage
  rooms: RoomView[]
  withText: boolean
  /** Its buttons. */
  children: ComponentChildren
}

/** One message, with its text only when `withText` is set. */
export function MessageEntry({ message, rooms, withText, children }: MessageProps) {
  const { wamid, direction, type, at, route, reason, status, id } = message
  return (
    <li class={`message ${direction}`} id={id ?? wamid}>
      <Moment at={at} />
      <div>
        <p>
          <b>{DIRECTION_NAMES[direction]}</b> <span class="dim">{type}</span> {route && <Badge of={route} />}{' '}
          {status && <Badge of={`is-${status}`}>{status}</Badge>}
        </p>
        <p class="text">{withText ? textOf(message) : MASK}</p>
        <p class="note">
          {reason}
          <InRoom rooms={rooms} entry={message} />
          {' · '}
          <span class="id">{[wamid, id].filter(Boolean).join(' · ')}</span>
        </p>
        {children}
      </div>
    </li>
  )
}

function InRoom({ rooms, entry }: { rooms: RoomView[]; entry: TimelineEvent | TimelineMessage }) {
  const { chatroomId, crmId } = entry
  return (
    chatroomId && (
      <>
        {' · '}
        <RoomName rooms={rooms} id={chatroomId} crmId={crmId} />
      </>
    )
  )
}

/** A page stays below 100 kB. */
const TEXT_BYTES = 1_200

/** The body of a text message; the JSON content of any other type; the beginning of a very long one. */
function textOf({ payload, type }: TimelineMessage): string {
  const text = payload?.text as { body?: unknown } | undefined
  const whole = typeof text?.body === 'string' ? text.body : JSON.stringify(payload?.[type] ?? payload)
  const shown = cutToBytes(whole, TEXT_BYTES)
  return shown === whole ? whole : `${shown}…`
}
