import { beforeAll, describe, expect, it } from 'vitest'
import { createContact } from '../../src/contacts/create-contact.ts'
import type { Db } from '../../src/db/client.ts'
import { RetryError } from '../../src/db/pg-errors.ts'
import { inRetriedTransaction } from '../../src/db/retried-transaction.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { personOfPhone } from '../../src/identity/person.ts'
import { resolveCustomer } from '../../src/identity/resolve-customers.ts'
import { provision } from '../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { beforeStatement } from '../support/lifecycle.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { message, newWamid, post } from '../support/webhooks.ts'

let database: TestDatabase
let db: TestDatabase['db']
let api: TestApi

beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
  api = await startTestApi(db)
})

const deadlock = () => Object.assign(new Error('deadlock detected'), { code: '40P01' })

describe('a retried transaction', () => {
  it('is run again when it lost a deadlock, with nothing left of the first try', async () => {
    let tries = 0
    let arrived = 0
    let meet = () => {}
    const both = new Promise<void>((resolve) => {
      meet = resolve
    })
    const lock = (tx: Db, key: number) => tx.$client.query('select pg_advisory_xact_lock($1)', [key])
    const cross = (first: number, second: number) =>
      inRetriedTransaction(db, async (tx) => {
        tries += 1
        await tx.$client.query('create temporary table only_once () on commit drop')
        await lock(tx, first)
        arrived += 1
        if (arrived === 2) meet()
        await both
        await lock(tx, second)
      })
    await Promise.all([cross(1, 2), cross(2, 1)])
    expect(tries).toBe(3)
  })

  it('is not run again after any other error', async () => {
    let tries = 0
    const work = inRetriedTransaction(db, async (tx) => {
      tries += 1
      await tx.$client.query('select 1 / 0')
    })
    await expect(work).rejects.toThrow('division by zero')
    expect(tries).toBe(1)
  })

  it('passes the failure on after five tries', async () => {
    let tries = 0
    const work = inRetriedTransaction(db, async () => {
      tries += 1
      throw deadlock()
    })
    await expect(work).rejects.toThrow('deadlock detected')
    expect(tries).toBe(5)
  })

  it('inside another one passes the failure on, and the outer one is run again as a whole', async () => {
    const tries: string[] = []
    await inRetriedTransaction(db, async (tx) => {
      tries.push('outer')
      await inRetriedTransaction(tx, async () => {
        tries.push('inner')
        if (tries.length < 4) throw new RetryError('changed')
      })
    })
    expect(tries).toEqual(['outer', 'inner', 'outer', 'inner'])
  })
})

it('a contact is created for the customer into whom its own was merged between look-up and lock', async () => {
  const org = await createOrg(db)
  const [before, after] = ['15550000001', '15550000002']
  await inTransaction(db, (tx) => resolveCustomer(tx, personOfPhone(org.id, `+${after}`)))
  await deliver(db, post(org.phones[0]!, message({ from: before })))
  const moved = {
    ...{ from: before, id: newWamid(), timestamp: '1790416832', type: 'system' },
    system: { type: 'user_changed_number', wa_id: after },
  }
  beforeStatement(database, 'lock-customers', () => deliver(db, post(org.phones[0]!, moved)))
  const contact = {
    crm_id: 'crm',
    phone_number: { rawInput: `+${after}` },
    opt_in_date: new Date(),
  }
  const created = await createContact(db, { orgId: org.id, contact, actor: 'user:ann', now: new Date() })
  const { rows } = await db.$client.query(
    'select id, merged_into is null as living from customers where org_id = $1 order by living desc',
    [org.id],
  )
  expect(rows).toEqual([
    { id: created.customerId, living: true },
    { id: expect.any(String), living: false },
  ])
})

describe('every change that locks a customer is tried again when it lost a deadlock:', () => {
  type Case = [
    name: string,
    request: (org: TestOrg, room: string, contact: string) => Parameters<TestApi['call']>,
  ]
  const assign_details = { assign_mode: 'USER', user_id: 'ann' }
  const cases: Case[] = [
    ['creating a contact', (org) => ['POST', `/v2/org/${org.id}/contact`, { body: newContact }]],
    [
      'changing a contact',
      (org, _, id) => ['PUT', `/v1/orgs/${org.id}/contact/${id}`, { body: { crm_id: 'new' } }],
    ],
    [
      'its disposition',
      (org, _, id) => ['PUT', `/v2/orgs/${org.id}/contact/${id}/disposition`, { body: { stage: 'won' } }],
    ],
    [
      'creating a chatroom',
      (org, _, lead_id) => ['POST', `/v3/org/${org.id}/lead/chatroom`, { body: { lead_id, assign_details } }],
    ],
    [
      'assigning a contact',
      (org, _, id) => ['POST', `/v3/orgs/${org.id}/contacts/${id}/assign`, { body: { user_id: 'ann' } }],
    ],
    [
      'reassigning a chatroom',
      (org, room) => [
        'POST',
        `/v3/org/${org.id}/lead/chatroom/${room}/reassign`,
        { body: { assign_details } },
      ],
    ],
    ['activating a chatroom', (org, room) => ['PUT', `/v1/org/${org.id}/contacts/chatroom/${room}/activate`]],
    [
      'deactivating a chatroom',
      (org, room) => ['PUT', `/v1/org/${org.id}/contacts/chatroom/${room}/deactivate`],
    ],
    ['sending', (org, room) => ['POST', `/v1/org/${org.id}/chatroom/${room}/messages`, { body: text }]],
    [
      'sending with an idempotency key',
      (org, room) => [
        'POST',
        `/v1/org/${org.id}/chatroom/${room}/messages`,
        { body: text, headers: { 'idempotency-key': 'key' } },
      ],
    ],
  ]
  const newContact = { crm_id: 'crm', phone_number: { rawInput: '+15550000009' }, opt_in_date: 1_790_000_000 }
  const text = { origin: 'AGENT', text: { body: 'hello' } }

  it.each(cases)('%s', async (_, request) => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { lastInboundAt: new Date() })
    beforeStatement(database, 'lock-customers', () => Promise.reject(deadlock()))
    const { status } = await api.call(...request(org, room.id, room.contactId))
    expect(status).toBeLessThan(300)
  })

  it('provisioning an affiliate', async () => {
    const org = await createOrg(db)
    const affiliate = { crm_id: 'partner', phone: '+15550000008', remote_phone_id: org.phones[0] }
    const file = parseProvisionFile(
      JSON.stringify({
        orgs: [
          {
            ...{ id: org.id, name: 'Org', affiliates: [affiliate] },
            wabas: [
              {
                ...{ id: org.wabaId, name: 'Main' },
                phones: [{ id: org.phones[0], display_phone_number: '+1' }],
              },
            ],
          },
        ],
      }),
    )
    beforeStatement(database, 'lock-customers', () => Promise.reject(deadlock()))
    expect(await provision(db, file, undefined)).toMatchObject({ orgs: 1 })
  })
})
