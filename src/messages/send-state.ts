import { sendIdSql } from '../rules/provisional-wamid.ts'

/**
 * What has become of a message that Usher sends (docs/rules.md#statuses-of-a-send). The last five come from Meta, but that
 * Usher calls a message `sent` as soon as Meta has taken it, and `failed` when it gives it up.
 */
export const SEND_STATUSES = [
  ...(['queued', 'waiting', 'sending', 'unknown'] as const),
  ...(['sent', 'failed', 'delivered', 'read', 'played'] as const),
] as const
export type SendStatus = (typeof SEND_STATUSES)[number]

/** The part of a message's row that tells of its sending; all null for a message that Usher did not send. */
export type SendState = {
  /** Stays when Meta gives the message its wamid. */
  id: string | null
  retry_of: string | null
  status: SendStatus | null
  /** As Meta reported them, or one with the title that Usher gives. */
  errors: unknown
  /** What the last try met. */
  send_error: string | null
  /** When a queued message, or another one of its pair, is tried next. */
  due_at: Date | null
  is_stopped: boolean
  stopped_reason: string | null
  /** Whether no other queued message of its pair goes before it. */
  is_next: boolean
}

/** SQL: the outbox row `o` of a message `m`; while it is queued, its pair `q` and its number `p` too. */
export const SEND_STATE_TABLES = `left join outbox o on o.org_id = m.org_id and o.id = ${sendIdSql('m')}
  left join outbox_pairs q on o.state = 'queued' and q.org_id = o.org_id and q.customer_id = o.customer_id
    and q.waba_phone_id = o.waba_phone_id
  left join waba_phones p on o.state = 'queued' and p.org_id = o.org_id and p.id = o.waba_phone_id`

/** Stored times are rounded to milliseconds, so what is due now may seem to be due a little later. */
const NOW = `now() + interval '1 millisecond'`

/** SQL: the `SendStatus` of a message `m`, with the tables of `SEND_STATE_TABLES`. */
export const SEND_STATUS = `case
    when m.direction <> 'out' or m.status is not null then m.status
    when o.state = 'queued' and (p.stopped_at is not null or greatest(o.due_at, q.due_at) > ${NOW}) then 'waiting'
    else coalesce(o.state, 'sent') end`

/** SQL: the columns of `SendState`, with the tables of `SEND_STATE_TABLES`. */
export const SEND_STATE_COLUMNS = `${sendIdSql('m')} as id, m.retry_of, ${SEND_STATUS} as status, m.errors,
  o.error as send_error, greatest(o.due_at, q.due_at) as due_at, p.stopped_at is not null as is_stopped,
  p.stopped_reason, o.state = 'queued' and o.id = (
    select h.id from outbox h where h.org_id = o.org_id and h.customer_id = o.customer_id
      and h.waba_phone_id = o.waba_phone_id and h.state = 'queued' order by h.kind desc, h.position limit 1) as is_next`

type Reasons = Pick<
  SendState,
  'status' | 'errors' | 'send_error' | 'is_stopped' | 'stopped_reason' | 'is_next'
>

/** Why a message waits, failed or is unknown, or what the last try met; null when there is nothing to tell. */
export function reasonOf(state: Reasons): string | null {
  const { status, errors, send_error, is_stopped, stopped_reason, is_next } = state
  if (status === 'failed') return send_error ?? titleOf(errors)
  if (status === 'waiting') {
    if (is_stopped) return `the number is stopped: ${stopped_reason ?? 'no reason is known'}`
    if (!is_next) return 'an earlier message to this customer waits'
    return send_error ?? 'the rate of this number and customer is used up'
  }
  return status === 'queued' || status === 'sending' || status === 'unknown' ? send_error : null
}

/** When a message that waits is tried next; null when nobody knows. */
export function nextTryOf({
  status,
  is_stopped,
  due_at,
}: Pick<SendState, 'status' | 'is_stopped' | 'due_at'>): Date | null {
  return status === 'waiting' && !is_stopped ? due_at : null
}

function titleOf(errors: unknown): string | null {
  const [first] = Array.isArray(errors) ? errors : []
  const { code, title, message } = (first ?? {}) as Record<string, unknown>
  const words = [code, title ?? message].filter(
    (word) => typeof word === 'number' || typeof word === 'string',
  )
  return words.length > 0 ? words.join(' ') : null
}
