import { createHash } from 'node:crypto'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { nothing, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { IDEMPOTENCY_KEPT } from '../rules/retention.ts'
import type { Answer } from './answer.ts'

/**
 * `request`: the values, as JSON, by which a repeated request is recognised as the same one. `shownOnce`: the fields of the
 * answer that are stored as null.
 */
export type KeyedRequest = {
  orgId: string
  key: string
  request: unknown
  shownOnce?: readonly string[] | undefined
}

/**
 * Runs a request with an `Idempotency-Key` at most once in 24 h; a repetition gets the stored answer. The answer is
 * committed in the transaction of the work itself, so a crash leaves either both or neither. Errors are not stored: a
 * request that failed has changed nothing and may succeed later.
 * @throws ApiError IDEMPOTENCY_KEY_REUSED when the key was used with a different request, IDEMPOTENCY_KEY_IN_USE while
 * the first request is still being processed
 */
export async function answerOnce(
  db: Db,
  { orgId, key, request, shownOnce = [] }: KeyedRequest,
  run: (tx: Db) => Promise<Answer>,
): Promise<Answer & { replayed: boolean }> {
  const digest = createHash('sha256').update(JSON.stringify(request)).digest()
  return inRetriedTransaction(db, async (tx) => {
    await lockKey(tx, orgId, key)
    const stored = await readAnswer(tx, orgId, key)
    if (stored && !stored.digest.equals(digest)) throw new ApiError('IDEMPOTENCY_KEY_REUSED')
    if (stored) return { status: stored.status, body: stored.body ?? undefined, replayed: true }
    const answer = await run(tx)
    await storeAnswer(tx, orgId, key, digest, { ...answer, body: without(shownOnce, answer.body) })
    return { ...answer, replayed: false }
  })
}

function without(fields: readonly string[], body: unknown): unknown {
  if (fields.length === 0) return body
  return { ...(body as object), ...Object.fromEntries(fields.map((field) => [field, null])) }
}

async function lockKey(tx: Db, orgId: string, key: string): Promise<void> {
  const isLocked = await run(tx, {
    name: 'lock-idempotency-key',
    text: `select pg_try_advisory_xact_lock(hashtextextended('idempotency of ' || $1 || ' ' || $2, 0)) as locked`,
    values: [orgId, key],
    read: ([row]: { locked: boolean }[]) => row?.locked,
  })
  if (!isLocked) throw new ApiError('IDEMPOTENCY_KEY_IN_USE')
}

type StoredAnswer = { digest: Buffer; status: number; body: unknown }

function readAnswer(tx: Db, orgId: string, key: string): Promise<StoredAnswer | undefined> {
  return run(tx, {
    name: 'read-idempotent-answer',
    text: `select request_digest as digest, status, body from idempotency_keys
      where org_id = $1 and key = $2 and created_at > now() - interval '${IDEMPOTENCY_KEPT}'`,
    values: [orgId, key],
    read: ([row]: StoredAnswer[]) => row,
  })
}

function storeAnswer(tx: Db, orgId: string, key: string, digest: Buffer, answer: Answer): Promise<void> {
  return run(tx, {
    name: 'store-idempotent-answer',
    text: `insert into idempotency_keys (org_id, key, request_digest, status, body) values ($1, $2, $3, $4, $5)
      on conflict (org_id, key) do update set request_digest = excluded.request_digest,
        status = excluded.status, body = excluded.body, created_at = now()`,
    values: [orgId, key, digest, answer.status, JSON.stringify(answer.body) ?? null],
    read: nothing,
  })
}
