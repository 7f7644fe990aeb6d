import { describe, expect, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

const PROVISION = 'First describe an org, its WABAs and its numbers in a file'
const PAGES = ['', '/customer', '/stuck', '/lifecycle', '/webhooks']

/** Texts that claim something which is not so where there is nothing. */
const WRONG = /every (number|delivery|customer|message)|no more|nothing else|at most \d+ a day/i

/** A console over a database of its own; gives the text of its pages, without markup. */
async function startConsole() {
  const { db } = await createTestDatabase()
  const url = await startOps(db)
  const read = async (path: string) => {
    const { status, body } = await loggedIn(`${url}/console${path}`)
    expect([path, status]).toEqual([path, 200])
    return body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
  }
  return { db, read }
}

describe('a page of the console that has nothing to show', () => {
  test('says how to provision the first org, and nothing that is wrong', async () => {
    const { read } = await startConsole()
    for (const path of PAGES) {
      const text = await read(path)
      expect([path, text.includes(PROVISION), text.match(WRONG)]).toEqual([path, true, null])
    }
    await expect.poll(() => read('/lifecycle')).toContain('no changes')
  })

  test('says what to do first in an org to which nothing has happened, and nothing that is wrong', async () => {
    const { db, read } = await startConsole()
    const { id } = await createOrg(db)
    for (const [path, advice] of [
      ['', 'Write to a WhatsApp number of the org, or post test messages with npm run simulate'],
      ['/customer', 'Search for a customer to see where their messages went'],
      ['/stuck', 'A delivery for a number or WABA that is not provisioned waits here'],
      ['/webhooks', 'adds one with POST /v1/org/{orgId}/webhook-endpoints'],
      [`/webhooks?org=${id}`, `adds one with POST /v1/org/${id}/webhook-endpoints`],
    ] as const) {
      const text = await read(path)
      expect([path, text]).toEqual([path, expect.stringContaining(advice)])
      expect([path, text.includes(PROVISION), text.match(WRONG)]).toEqual([path, false, null])
    }
  })
})

describe('the timeline of a customer', () => {
  test('has titles that begin with a capital letter, whatever happened', async () => {
    const { db, read } = await startConsole()
    const org = await createOrg(db)
    const room = await createRoom(db, org, { customer: '+13125550001' })
    await deliver(db, post(org.phones[0]!, message({ from: '13125550001' })))
    for (const [i, kind] of ['message.queued', 'chatroom.assigned', 'chatroom.auto_reply_paused'].entries())
      await db.$client.query(
        `insert into events (org_id, id, kind, actor, chatroom_id) values ($1, gen_random_uuid(), $2, $3, $4)`,
        [org.id, kind, `user:${i}`, room.id],
      )
    const text = await read('/customer?q=%2B13125550001')
    for (const title of ['Message queued', 'Chatroom assigned', 'Automatic replies paused'])
      expect(text).toContain(title)
  })
})
