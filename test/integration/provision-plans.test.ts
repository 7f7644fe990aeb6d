import { describe, expect, it } from 'vitest'
import { deleteOrgs } from '../../src/bulk-runs/delete-orgs.ts'
import { closeOrg } from '../../src/org-deletion/close-org.ts'
import { readAffiliates } from '../../src/orgs/read-people.ts'
import { removeNumber } from '../../src/orgs/remove-wabas.ts'
import { createTestDatabase } from '../support/database.ts'
import { readOrg } from '../support/leads.ts'
import { loadCustomers } from '../support/load-customers.ts'
import { createOrg, provisionOrg } from '../support/org.ts'
import { missingIn } from '../support/plan-tests.ts'
import { planNodes, recordEverything, type Statement } from '../support/statements.ts'

const BIG = [
  ...['chatrooms', 'chatroom_members', 'contacts', 'contact_wabas', 'customers', 'customer_aliases'],
  ...['messages', 'events', 'outbox'],
]
/** A million customers take minutes to delete. */
const PLAN_MS = 1_800_000
const USERS = ['ann', 'bob', 'cid', 'dee']

const recorded: Statement[] = []

/**
 * More customers: `PLAN_CUSTOMERS=1000000 npx vitest run --project integration provision-plans -t 'removed|affiliates|deleted'`.
 * Numbers with so many chatrooms are not merged.
 */
const CUSTOMERS = Number(process.env.PLAN_CUSTOMERS ?? 2_000)

describe.each([0, CUSTOMERS])('in an org with %d customers', async (customers) => {
  const { db } = await createTestDatabase()
  const org = await createOrg(db, {}, { phones: 3, users: USERS })
  await loadCustomers(db, org, customers, USERS)
  const [first, second, free] = org.phones

  /** The nodes that name a big table in the plans of what `work` sends; its inserts of events apart. */
  async function bigNodes(work: () => Promise<unknown>): Promise<string[]> {
    const statements = await recordEverything(async () => void (await work()))
    recorded.push(...statements)
    // A user of many chatrooms leaves in many batches of the same statements.
    const distinct = new Map(statements.map((statement) => [statement.text, statement])).values()
    const plans = await Promise.all(
      [...distinct]
        .filter(({ name }) => name !== 'record-events')
        .map((statement) => planNodes(db, statement)),
    )
    return plans.flat().filter((node) => BIG.some((table) => node.endsWith(` ${table}`)))
  }

  const replace = (id: string, replaces: string) =>
    provisionOrg(db, {
      id: org.id,
      wabas: [{ id: org.wabaId, name: 'w', phones: [{ id, replaces, display_phone_number: '+1' }] }],
    })

  it('a move reads and writes no table that grows with the customers', async () => {
    expect(await bigNodes(() => replace('p9', first!))).toEqual([])
  })

  it('two numbers are merged by index', async () => {
    const nodes = await bigNodes(() => replace(second!, 'p9'))
    expect(nodes.length).toBeGreaterThan(5)
    expect(nodes.filter((node) => node.startsWith('Seq Scan'))).toEqual([])
  })

  it('a number to which nothing belongs is removed by index', async () => {
    const nodes = await bigNodes(() => removeNumber(db, { orgId: org.id, id: free!, actor: 'test' }))
    expect(nodes.length).toBeGreaterThan(5)
    expect(nodes.filter((node) => node.startsWith('Seq Scan'))).toEqual([])
  })

  it('affiliates are found by index', async () => {
    const nodes = await bigNodes(() => readAffiliates(db, org.id, { limit: 100 }))
    expect(nodes.length).toBeGreaterThan(0)
    expect(nodes.filter((node) => node.startsWith('Seq Scan'))).toEqual([])
  })

  it('a user who leaves has the chatrooms found by index', async () => {
    const leave = () => provisionOrg(db, { id: org.id, users: [{ id: 'bob', removed: true }] })
    expect((await bigNodes(leave)).filter((node) => node.startsWith('Seq Scan'))).toEqual([])
  })

  it(
    'the rows of an org that is deleted are found by index',
    async () => {
      await closeOrg(db, { orgId: org.id, confirm: (await readOrg(db, org)).name, actor: 'test' })
      await db.$client.query(`update bulk_runs set beat_at = now() - interval '1 minute'`)
      const nodes = await bigNodes(() => deleteOrgs(db, undefined, 0))
      expect(nodes.filter((node) => node.startsWith('ModifyTable'))).not.toEqual([])
      expect(nodes.filter((node) => node.startsWith('Seq Scan'))).toEqual([])
    },
    PLAN_MS,
  )
})

it('every statement of the list is recorded', () => {
  expect(missingIn('provision-plans', recorded)).toEqual([])
})
