import { expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { addMember, createGroup } from '../support/leads.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { createOrg, createRoom, createSendingOrg } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const url = await startOps(db)

const minutesAgo = (n: number) => new Date(Date.now() - n * 60_000)

/** The text of a page, without its markup; cells end in a bar. */
async function read(path: string): Promise<string> {
  const { status, body } = await loggedIn(`${url}/console/team${path}`)
  expect([path, status]).toEqual([path, 200])
  const main = body.slice(body.indexOf('<main'))
  return main
    .replace(/<\/t[dh]>/g, ' | ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
}

/** Chatrooms: two of ann, one of bob, one of nobody; the customers of all but one of ann wrote. */
async function createTeam() {
  const org = await createSendingOrg(db, {})
  await createGroup(db, org, 'sales', ['bob'])
  const customers = [1, 2, 3, 4].map((n) => `+1555000300${n}`)
  const rooms = []
  for (const customer of customers) rooms.push(await createRoom(db, org, { customer }))
  for (const [i, user] of [[0, 'ann'] as const, [1, 'ann'] as const, [2, 'bob'] as const])
    await addMember(db, org, rooms[i]!.id, user)
  const wrote = [0, 2, 3].map((n) => message({ from: customers[n]!.slice(1), at: minutesAgo(90 - n * 20) }))
  await deliver(db, post(org.phones[0]!, ...wrote))
  return { org, rooms }
}

it('the page Team says of each agent what there is to do, and who waits longest', async () => {
  const { org, rooms } = await createTeam()
  await db.$client.query('update chatrooms set pending_user_id = $3 where org_id = $1 and id = $2', [
    ...[org.id, rooms[3]!.id, 'bob'],
  ])
  const page = await read(`?org=${org.id}`)
  expect(page).toContain('Assigned to nobody | | | | 1 | 30 min | 1 | |')
  expect(page).toContain('ann | | 2 | 0 | 1 | 1 h 30 min | 1 | 0 |')
  expect(page).toContain('bob | sales | 1 | 1 | 1 | 50 min | 1 | 0 |')
  const names = rooms.map(({ contactId }) => `crm-${contactId}`)
  const order = [0, 2, 3].map((n) => page.indexOf(names[n]!))
  expect(order).toEqual(order.toSorted((a, b) => a - b))
  expect(page).not.toContain(names[1])
  expect(page).toMatch(/1 h 30 min \| [\d: -]+ \| 22 h 2\d min left \| ann \|/)
})

it('an answer ends the wait, and counts as sent', async () => {
  const { org, rooms } = await createTeam()
  const body = { origin: 'AGENT', text: { body: 'Yes' } }
  const path = `/v1/org/${org.id}/chatroom/${rooms[0]!.id}/messages`
  expect((await api.call('POST', path, { body, as: { org: org.id, user: 'ann' } })).status).toBe(202)
  expect(await read(`?org=${org.id}`)).toContain('ann | | 2 | 0 | 0 | – | 1 | 1 |')
})

it('shows the agents of one group, and the waiting customers of one agent', async () => {
  const { org, rooms } = await createTeam()
  const group = await read(`?org=${org.id}&group=sales`)
  expect(group).not.toContain('ann | |')
  expect(group).toContain('bob | sales |')
  const own = await read(`?org=${org.id}&user=bob`)
  expect(own).toContain('Waiting customers of bob')
  expect(own).toContain(`crm-${rooms[2]!.contactId}`)
  expect(own).not.toContain(`crm-${rooms[0]!.contactId}`)
})

it('goes on to the next page of waiting customers, without a repeat', async () => {
  const org = await createOrg(db)
  const customers = Array.from({ length: 53 }, (_, n) => `+1555000${4000 + n}`)
  for (const customer of customers) await createRoom(db, org, { customer })
  const at = (n: number) => minutesAgo(60 - n)
  await deliver(
    db,
    post(org.phones[0]!, ...customers.map((c, n) => message({ from: c.slice(1), at: at(n) }))),
  )
  const { body } = await loggedIn(`${url}/console/team?org=${org.id}`)
  const [, next = ''] = /href="\/console\/team([^"]*before=[^"]*)#waiting"/.exec(body) ?? []
  const rest = await read(next.replaceAll('&amp;', '&'))
  expect(rest.match(/templates only|left/g)).toHaveLength(3)
  expect(rest).not.toContain('Next page')
})

it('lists the orgs with their waiting customers, and says what to do first where there is nothing', async () => {
  const { org } = await createTeam()
  const quiet = await createOrg(db, {}, { users: [] })
  const page = await read('')
  expect(page).toContain(`Org ${org.id.slice(4)} | 3 | 1 h 30 min |`)
  expect(page).toContain(`Org ${quiet.id.slice(4)} | 0 | – |`)
  const empty = await read(`?org=${quiet.id}`)
  expect(empty).toContain('Add users and groups to its provision file, and run npm run provision')
  expect(empty).toContain('Nobody waits: every customer who wrote has an answer.')
})

it.each(['?before=x', '?org=%00', '?org=a&org=b'])('refuses %s', async (query) => {
  expect((await loggedIn(`${url}/console/team${query}`)).status).toBe(422)
})
