import type { Db } from '../db/client.ts'
import { bigint, bytea, columns, json } from '../db/columns.ts'
import { allRows, nothing, over, rowCount, run, type Statement } from '../db/statement.ts'
import { toJson } from '../webhook/fields.ts'
import type { OpenErasure, RunStage } from './erasure-row.ts'
import { mentions, mentionsInBytes } from './export-bodies.ts'
import { readMetaIds } from './find-person.ts'
import { withoutPerson } from './names-in-json.ts'
import { bodyWithoutPerson } from './owned-changes.ts'

const PAGE = 500

/** Deletes stored answers to requests about the person, and what endpoints of the org answered about them. */
export const eraseAnswers: RunStage = async (tx, { orgId, person, place }) => {
  const searched = [...person.values, ...person.search]
  const [after = ''] = place ?? []
  if (!place) await run(tx, eraseAttemptAnswers(orgId, searched))
  const last = await run(tx, {
    name: 'erase-answers',
    text: `with page as materialized (
        select key from idempotency_keys where org_id = $1 and key > $2 order by key limit ${PAGE}),
      gone as (
        delete from idempotency_keys i using page p where i.org_id = $1 and i.key = p.key
          and ${mentions(`(i.key || ' ' || coalesce(i.body::text, ''))`, '$3')})
      select max(key) as last from page`,
    values: [orgId, after, searched],
    read: ([row]: { last: string | null }[]) => row?.last,
  })
  return last ? { place: [last] } : {}
}

/** Each of at most ten endpoints has a few hundred requests. */
function eraseAttemptAnswers(orgId: string, searched: string[]): Statement<void> {
  return {
    name: 'erase-attempt-answers',
    text: `update webhook_attempts set answer = null where org_id = $1 and ${mentions('answer', '$2')}`,
    values: [orgId, searched],
    read: nothing,
  }
}

type AccountEvent = { digest: Buffer; payload: Record<string, unknown> | null }
const PAYLOADS = columns<{ digest: Buffer; payload: string | null }>({
  digest: bytea((e) => e.digest),
  payload: json((e) => e.payload),
})

/** Takes the person out of the next account events; those that are about nobody else are deleted. */
export const eraseAccountEvents: RunStage = async (tx, { orgId, person, place }) => {
  const [after = ''] = place ?? []
  const page = await run(tx, {
    name: 'read-account-events-to-erase',
    text: `select digest, case when ${mentions('payload::text', '$3')} then payload end as payload
      from account_events where org_id = $1 and digest > $2 order by digest limit ${PAGE}`,
    values: [orgId, Buffer.from(String(after), 'hex'), person.values],
    read: allRows<AccountEvent>,
  })
  const names = new Set(person.values)
  const changed = page.flatMap(({ digest, payload }) => {
    if (!payload) return []
    const rest = withoutPerson(payload, names)
    return [{ digest, payload: rest ? toJson(rest) : null }]
  })
  await run(tx, rewriteAccountEvents(orgId, changed))
  const last = page.at(-1)
  return last ? { place: [last.digest.toString('hex')] } : {}
}

function rewriteAccountEvents(
  orgId: string,
  changed: { digest: Buffer; payload: string | null }[],
): Statement<void> {
  return over(PAYLOADS, changed, {
    name: 'erase-account-events',
    text: `with gone as (
        delete from account_events e using ${PAYLOADS.as('u')}
        where e.org_id = $3 and e.digest = u.digest and u.payload is null)
      update account_events e set payload = u.payload from ${PAYLOADS.as('u')}
      where e.org_id = $3 and e.digest = u.digest and u.payload is not null`,
    values: [orgId],
    read: nothing,
  })
}

type Body = { id: string; body: Buffer | null; last: string | null }
const BODIES = columns<{ id: number; body: Buffer | null }>({
  id: bigint((b) => b.id),
  body: bytea((b) => b.body),
})

/**
 * Takes the person's items of this org out of the next deliveries that came before the erasure, whatever their state; a
 * delivery without anything else is deleted. Those that a worker has locked are looked at again, until none is left.
 */
export const eraseDeliveries: RunStage = async (tx, erasure) => {
  const [after = '0', hasSkipped = false] = erasure.place ?? []
  const page = await readBodies(tx, erasure, String(after))
  const metaIds = await readMetaIds(tx, erasure.orgId)
  const names = new Set(erasure.person.values)
  const wanted = page.flatMap(({ id, body }) => {
    const rest = body && bodyWithoutPerson(body, names, metaIds)
    return rest ? [{ id: Number(id), body: rest.body }] : []
  })
  const done = await run(tx, rewriteDeliveries(wanted))
  const skips = Boolean(hasSkipped) || done < wanted.length
  const last = page.at(-1)
  if (last) return { place: [last.id, skips] }
  return skips ? { place: ['0', false], waits: true } : {}
}

function readBodies(tx: Db, { person, requestedAt }: OpenErasure, after: string): Promise<Body[]> {
  return run(tx, {
    name: 'read-deliveries-to-erase',
    text: `select id, case when received_at <= $3 and ${mentionsInBytes('body', '$2')} then body end as body
      from inbox where id > $1 order by id limit ${PAGE}`,
    values: [after, person.values, requestedAt],
    read: allRows<Body>,
  })
}

/** Gives the number of rows that no worker had locked. */
function rewriteDeliveries(wanted: { id: number; body: Buffer | null }[]): Statement<number> {
  return over(BODIES, wanted, {
    name: 'erase-deliveries',
    text: `with free as materialized (
        select i.id, u.body from ${BODIES.as('u')} join inbox i on i.id = u.id for update of i skip locked),
      gone as (delete from inbox i using free f where i.id = f.id and f.body is null returning i.id),
      kept as (update inbox i set body = f.body from free f where i.id = f.id and f.body is not null returning i.id)
      select from gone union all select from kept`,
    read: rowCount,
  })
}
