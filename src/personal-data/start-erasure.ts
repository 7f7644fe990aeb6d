import { setTimeout as sleep } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import type { ErasedPerson } from '../db/schema/index.ts'
import { allRows, firstRow, run, type Statement, send } from '../db/statement.ts'
import { inTransaction } from '../db/transaction.ts'
import { digestKey, digestOf } from '../erased/digest.ts'
import { insertTombstones } from '../erased/tombstones.ts'
import type { ErasureKey } from './erasure-row.ts'
import { type Asked, findPerson } from './find-person.ts'

type Wanted = { orgId: string; asked: Asked; actor: string; secretsKey: Buffer }

/** Routing takes milliseconds; what takes longer than this is not waited for. */
const OTHERS_MS = 3_000
const POLL_MS = 20

/**
 * Writes that a person is to be erased, with tombstones of the names, and waits until no transaction runs that began
 * before: from then on routing knows the tombstones, so what the person sent earlier makes nobody a customer again. Nothing is
 * erased yet (`src/personal-data/work-on-erasure.ts`). Asked again while an erasure is not finished, it gives that one.
 * @throws ApiError CUSTOMER_NOT_FOUND
 */
export async function startErasure(db: Db, { orgId, asked, actor, secretsKey }: Wanted): Promise<ErasureKey> {
  const found = await findPerson(db, orgId, asked).catch(async (error: unknown) => {
    const open = (await run(db, listOpen(orgId))).find(({ person }) => isNamed(person, asked))
    if (open) return { open: open.id }
    throw error
  })
  if ('open' in found) return { orgId, id: found.open }
  const [customerId = ''] = found.customerIds
  const person = { customerIds: found.customerIds, values: [...found.values], search: [] }
  const key = digestKey(secretsKey)
  const digests = person.values.map((value) => digestOf(key, orgId, value))
  const { id, transaction } = await inTransaction(db, async (tx) => {
    const begun = await run(tx, insertErasure({ orgId, id: uuidv7(), customerId, actor, person }))
    const stones = digests.map((digest) => ({ orgId, digest, erasedAt: begun.requestedAt }))
    await send(tx, [insertTombstones(stones), noteErasureInOrg(orgId)])
    return begun
  })
  await awaitOlder(db, transaction)
  return { orgId, id }
}

function isNamed(person: ErasedPerson, { phone, userId }: Asked): boolean {
  return person.values.includes(phone?.slice(1) ?? userId ?? '')
}

type Begun = { id: string; requestedAt: Date; transaction: string }
type NewErasure = ErasureKey & { customerId: string; actor: string; person: ErasedPerson }

/** An erasure of the customer that is not finished is the one: two requests at once begin one erasure. */
function insertErasure({ orgId, id, customerId, actor, person }: NewErasure): Statement<Begun> {
  return {
    name: 'insert-erasure',
    text: `insert into erasures as e (org_id, id, customer_id, actor, person) values ($1, $2, $3, $4, $5)
      on conflict (org_id, customer_id) where finished_at is null do update set actor = e.actor
      returning id, requested_at as "requestedAt", pg_current_xact_id()::text as transaction`,
    values: [orgId, id, customerId, actor, JSON.stringify(person)],
    read: ([row]: Begun[]) => {
      if (!row) throw new Error('an erasure was not begun')
      return row
    },
  }
}

function noteErasureInOrg(orgId: string): Statement<{ id: string } | undefined> {
  return {
    name: 'note-erasure-in-org',
    text: 'update orgs set erased_at = now() where id = $1 returning id',
    values: [orgId],
    read: firstRow<{ id: string }>,
  }
}

function listOpen(orgId: string): Statement<{ id: string; person: ErasedPerson }[]> {
  return {
    name: 'list-open-erasures-of-org',
    text: 'select id, person from erasures where org_id = $1 and finished_at is null',
    values: [orgId],
    read: allRows<{ id: string; person: ErasedPerson }>,
  }
}

async function awaitOlder(db: Db, transaction: string): Promise<void> {
  for (const end = performance.now() + OTHERS_MS; performance.now() < end; await sleep(POLL_MS)) {
    const isOldest = await run(db, {
      name: 'have-older-ended',
      text: 'select pg_snapshot_xmin(pg_current_snapshot())::text::bigint > $1::bigint as ended',
      values: [transaction],
      read: ([row]: { ended: boolean }[]) => row?.ended ?? false,
    })
    if (isOldest) return
  }
}
