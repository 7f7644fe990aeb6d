import type { EventKind } from '../../audit/record-events.ts'

/** The kinds of events that a customer or a chatroom of theirs can have. */
type TimelineKind = Extract<
  EventKind,
  `chatroom.${string}` | `contact.${string}` | `customer.${string}` | `message.${string}`
>

const NAMES: Record<TimelineKind, string> = {
  'chatroom.created': 'Chatroom created',
  'chatroom.activated': 'Chatroom activated',
  'chatroom.reactivated': 'Chatroom reactivated',
  'chatroom.deactivated': 'Chatroom deactivated',
  'chatroom.expired': 'Chatroom expired',
  'chatroom.assigned': 'Chatroom assigned',
  'chatroom.renamed': 'Chatroom renamed',
  'chatroom.handover_set': 'Handover prepared',
  'chatroom.handed_over': 'Chatroom handed over',
  'chatroom.handover_cancelled': 'Handover cancelled',
  'chatroom.unassigned': 'Chatroom taken from a user',
  'chatroom.auto_reply_paused': 'Automatic replies paused',
  'contact.created': 'Contact created',
  'contact.updated': 'Contact updated',
  'contact.disposition_updated': 'Disposition updated',
  'contact.expired': 'Contact expired',
  'customer.ambiguous': 'Names of several customers',
  'customer.identity_conflict': 'Names in conflict',
  'customer.erased': 'Person erased',
  'customer.new_identity': 'Perhaps another person',
  'customer.opted_out': 'Opted out of marketing',
  'customer.opted_in': 'Opted in to marketing',
  'message.queued': 'Message queued',
  'message.retried': 'Message sent again',
}

/** The title of an event; the kind itself where a later version wrote one that this version does not know. */
export function eventName(kind: string): string {
  return NAMES[kind as TimelineKind] ?? kind
}
