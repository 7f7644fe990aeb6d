import { DEACTIVATES_AT, EXPIRES_AT } from '../rules/lifecycle.ts'
import type { RoomState } from '../rules/room.ts'
import { isWindowOpen, isWindowOpenSql, WINDOW_SINCE } from '../rules/window.ts'

/**
 * What may be sent (docs/rules.md#what-may-be-sent): as a function, for the API, and as SQL, for the claim, which asks
 * again at the moment of sending. A test compares the two.
 */

export type Origin = 'AGENT' | 'CAMPAIGN'
export type SendRefusal =
  | 'CHATROOM_IS_DEACTIVATED'
  | 'CHATROOM_IS_EXPIRED_FOR_SENDING'
  | 'CUSTOMER_OPTED_OUT'
  | 'MARKETING_PAUSED'
  | 'OUTSIDE_WINDOW'

/**
 * The chatroom with its customer. `windowSince` is when the customer last wrote to the number or called it; until `marketingPausedUntil` Meta
 * takes no marketing messages to the customer.
 */
type Recipient = {
  state: RoomState
  windowSince: Date | null
  optedOut: boolean
  marketingPausedUntil: Date | null
}

/**
 * The reason why a message may not be sent, or undefined. An active chatroom takes any message, a deactivated one only
 * campaign messages, an expired one none; a customer who stopped marketing, or to whom Meta takes none now, gets no campaign
 * messages; outside the window only templates are sent.
 */
export function refusalOf(
  message: { origin: Origin; isTemplate: boolean },
  { state, windowSince, optedOut, marketingPausedUntil }: Recipient,
  now: Date,
): SendRefusal | undefined {
  const isCampaign = message.origin === 'CAMPAIGN'
  if (state === 'expired') return 'CHATROOM_IS_EXPIRED_FOR_SENDING'
  if (state === 'deactivated' && !isCampaign) return 'CHATROOM_IS_DEACTIVATED'
  if (isCampaign && optedOut) return 'CUSTOMER_OPTED_OUT'
  if (isCampaign && marketingPausedUntil && marketingPausedUntil > now) return 'MARKETING_PAUSED'
  return message.isTemplate || isWindowOpen(windowSince, now) ? undefined : 'OUTSIDE_WINDOW'
}

/**
 * SQL: `refusalOf` by the database's clock, for `h` (outbox), `q` (its pair), `r` (its chatroom), `c` (its contact), `k`
 * (its customer) and `o` (its org); overdue changes count as done. An auto-reply, which is a text, needs the window only.
 */
export const REFUSAL = `case
  when h.kind = 'message' and (r.expired_at is not null or ${EXPIRES_AT} <= now())
    then 'CHATROOM_IS_EXPIRED_FOR_SENDING'
  when h.origin = 'AGENT' and (r.deactivated_at is not null or ${DEACTIVATES_AT} <= now())
    then 'CHATROOM_IS_DEACTIVATED'
  when h.origin = 'CAMPAIGN' and k.opted_out_at is not null then 'CUSTOMER_OPTED_OUT'
  when h.origin = 'CAMPAIGN' and k.marketing_paused_until > now() then 'MARKETING_PAUSED'
  when h.payload ->> 'type' <> 'template' and not ${isWindowOpenSql(WINDOW_SINCE)} then 'OUTSIDE_WINDOW'
end`
