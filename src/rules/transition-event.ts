import type { AuditEvent } from '../audit/record-events.ts'
import type { Transition } from './lifecycle.ts'

/** Where a transition happened, and what caused it. */
type Cause = Pick<AuditEvent, 'orgId' | 'customerId' | 'wamid' | 'actor'>

/** The audit of one change of a chatroom's state. Activation here is by a message, hence `chatroom.reactivated`. */
export function transitionEvent(cause: Cause, transition: Transition): AuditEvent {
  const { roomId: chatroomId, contactId, from, to, at, reason } = transition
  return {
    ...cause,
    kind: `chatroom.${to === 'active' ? 'reactivated' : to}`,
    reason,
    contactId,
    chatroomId,
    before: { state: from },
    after: { state: to, at },
  }
}
