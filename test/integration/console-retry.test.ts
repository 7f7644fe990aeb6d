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

  test('by state, number, reason and age, in pages, of the chosen org', async () => {
    const { org, id: failed } = await ended('failed')
    const { rows } = await db.$client.query(
      'select id, chatroom_id, customer_id, waba_phone_id from outbox where id = $1',
      [failed],
    )
    const [{ chatroom_id: roomId, customer_id: customerId, waba_phone_id: phoneId }] = rows
    const about = { kind: 'message' as const, origin: 'AGENT' as const, inReplyTo: null, reason: 'test' }
    const one = { orgId: org.id, roomId, customerId, phoneId, ...about, payload: { type: 'text' } }
    const more = await run(db, queueMessages(Array.from({ length: 60 }, () => one)))
    const unknown = more.map(({ id }) => id)
    await db.$client.query(
      `update outbox set state = 'unknown', error = 'no answer came', created_at = now() - interval '2 days'
       where id = any($1)`,
      [unknown],
    )
    const url = await startOps(db)
    const list = async (filter: string) => {
      const ids: string[] = []
      for (let path: string | undefined = `/console/stuck/sends?org=${org.id}${filter}`; path; ) {
        const { status, body } = await loggedIn(url + path)
        expect([path, status]).toEqual([path, 200])
        ids.push(...[...body.matchAll(/Send message ([\w-]+) again/g)].map(([, id = '']) => id))
        path = /<a href="([^"]+)">Next page<\/a>/.exec(body)?.[1]?.replaceAll('&amp;', '&')
      }
      return ids
    }
    expect(await list('')).toHaveLength(61)
    expect(new Set(await list(''))).toEqual(new Set([failed, ...unknown]))
    for (const filter of ['&state=failed', '&reason=WHY+it', '&age=under-1h'])
      expect([filter, await list(filter)]).toEqual([filter, [failed]])
    for (const filter of [
      '&state=unknown',
      '&reason=no+answer',
      '&age=over-1d',
      `&state=unknown&number=${phoneId}`,
    ])
      expect([filter, new Set(await list(filter))]).toEqual([filter, new Set(unknown)])
    expect(await list('&number=nowhere')).toEqual([])
    expect((await loggedIn(`${url}/console/stuck/sends?org=${org.id}&state=unknown`)).body).toContain(
      '60 found',
    )
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
