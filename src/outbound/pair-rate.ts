/**
 * One number may send one message in 6 s to one customer, on average (docs/meta.md#rates); Usher counts by the minute.
 * Auto-replies use at most half of it, so that the rest is free for what people send.
 */
export const PAIR_PER_MINUTE = 10
const AUTO_REPLIES_PER_MINUTE = PAIR_PER_MINUTE / 2

/**
 * SQL: when the pair of `q` (outbox_pairs) may send a message of the kind of `h` (outbox); null: its rate is not used up.
 */
export const FREE_AT = `greatest(${freeAfter(PAIR_PER_MINUTE)},
  case when h.kind = 'auto_reply' then ${freeAfter(AUTO_REPLIES_PER_MINUTE, `and s.kind = 'auto_reply'`)} end)`

/** A minute after the claim that was the `limit`-th latest. */
function freeAfter(limit: number, also = ''): string {
  return `(select s.claimed_at + interval '1 minute' from outbox s
    where s.org_id = q.org_id and s.customer_id = q.customer_id and s.waba_phone_id = q.waba_phone_id ${also}
      and s.claimed_at > now() - interval '1 minute' order by s.claimed_at desc offset ${limit - 1} limit 1)`
}
