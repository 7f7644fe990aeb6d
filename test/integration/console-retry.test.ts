import { describe, expect, test } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { queueMessages } from '../../src/outbound/queue-messages.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { createRoom, createSendingOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'

const { db } = await createTestDatabase()
const TEXT = 'canary-text'

/** An org with a send that ended so, and the address of its retry. */
async function ended(state: 'failed' | 'unknown') {
  const org = await createSendingOrg(db)
  const {
    id: roomId,
    customerId,
    wabaPhoneId: phoneId,
  } = await createRoom(db, org, { lastInboundAt: ago(0) })
  const payload = { type: 'text', text: { body: TEXT } }
  const about = {
    kind: 'message' as const,
    origin: 'AGENT' as const,
    inReplyTo: null,
    reason: 'test',
    payload,
  }
  const [row] = await run(db, queueMessages([{ orgId: org.id, roomId, customerId, phoneId, ...about }]))
  await db.$client.query(`update outbox set state = $2, error = 'why it ended' where id = $1`, [
    row!.id,
    state,
  ])
  if (state === 'failed')
    await db.$client.query(`update messages set status = 'failed' where outbox_id = $1`, [row!.id])
  return { org, customerId, id: row!.id, path: `/console/stuck/sends/${org.id}/${roomId}/${row!.id}/retry` }
}

const post = (url: string, body = '', headers = {}) =>
  loggedIn(url, {
    ...{ method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } },
  })
const sends = async (id: string) =>
  (await db.$client.query('select outbox_id as id from messages where retry_of = $1', [id])).rows

describe('the console lists failed sends', () => {
  test('with their reasons and without their text, and sends one again once; the audit names who asked', async () => {
    const { org, id, path } = await ended('failed')
    const url = await startOps(db)
    const list = async () => (await loggedIn(`${url}/console/stuck?org=${org.id}`)).body
    expect(await list()).toContain(`action="${path}"`)
    expect(await list()).toContain('why it ended')
    expect(await list()).not.toContain(TEXT)
    const { status, headers } = await post(url + path)
    expect([status, headers.location]).toEqual([303, `/console/stuck?org=${org.id}#sends`])
    expect((await post(url + path)).status).toBe(303)
    expect(await sends(id)).toHaveLength(1)
    expect(await list()).not.toContain(`action="${path}"`)
    expect(await eventsOfOrg(db, org.id, 'message.retried')).toMatchObject([{ actor: 'ops:ops' }])
  })

  test('on the page of their customer too, where a retry leads back to', async () => {
    const { org, customerId, id, path } = await ended('failed')
    const url = await startOps(db)
    const home = `/console/customer?org=${org.id}&id=${customerId}`
    expect((await loggedIn(url + home)).body).toContain(`action="${path}"`)
    const { status, headers } = await post(url + path, `customer=${customerId}`)
    expect([status, headers.location]).toEqual([303, home])
    expect(await sends(id)).toHaveLength(1)
    expect((await loggedIn(url + home)).body).not.toContain(`action="${path}"`)
  })

  test('and sends an unknown one again only with the box ticked', async () => {
    const { org, id, path } = await ended('unknown')
    const url = await startOps(db)
    expect((await loggedIn(`${url}/console/stuck?org=${org.id}`)).body).toMatch(
      /name="confirm"[^>]* required/,
    )
    expect((await post(url + path)).status).toBe(409)
    expect(await sends(id)).toEqual([])
    expect((await post(url + path, 'confirm=true')).status).toBe(303)
    expect(await sends(id)).toHaveLength(1)
  })

  test('without a button if it is read-only, and takes no retry then, nor one from another site', async () => {
    const { org, id, path } = await ended('failed')
    const readOnly = await startOps(db, { readOnly: true })
    const { body } = await loggedIn(`${readOnly}/console/stuck?org=${org.id}`)
    expect([body.includes('why it ended'), body.includes(path)]).toEqual([true, false])
    expect((await post(readOnly + path)).status).toBe(403)
    const url = await startOps(db)
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://elsewhere.example' }])
      expect((await post(url + path, '', headers)).status).toBe(403)
    expect(await sends(id)).toEqual([])
  })

  test('of the chosen org only, and retries nothing of an unknown org, chatroom or message', async () => {
    const [one, other] = [await ended('failed'), await ended('failed')]
    const url = await startOps(db)
    expect((await loggedIn(`${url}/console/stuck?org=${other.org.id}`)).body).not.toContain(one.path)
    for (const path of [
      one.path.replace(one.org.id, other.org.id),
      one.path.replace(one.org.id, 'nobody'),
      one.path.replace(one.id, other.id),
      '/console/stuck/sends/a/b/c/retry',
    ])
      expect([path, (await post(url + path)).status]).toEqual([path, 404])
  })
})
