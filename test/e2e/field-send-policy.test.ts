import { beforeAll, describe, expect, it } from 'vitest'
import { type Acme, type Acmes, startAcmes } from '../support/acme.ts'
import { answersOf } from '../support/answers.ts'
import { engines } from '../support/app.ts'
import { accepts, type Reply, refuses, replies } from '../support/graph-server.ts'

const template = (name: string) => ({ template: { name, language: { code: 'en_US' } } })
const TEXT = { text: { body: 'hello' } }

describe.each(engines())('what Meta refuses, queue on %s', (engine) => {
  let acmes: Acmes

  beforeAll(async () => {
    acmes = await startAcmes(engine)
  })

  /** Active chatrooms of these customers, who have just written. */
  async function rooms(acme: Acme, customers: string[]) {
    const lastInboundAt = new Date(Date.now() - 60_000)
    const made: Record<string, { id: string }> = {}
    for (const customer of customers) made[customer] = await acme.room(customer, 'active', { lastInboundAt })
    return (customer: string) => made[customer] ?? { id: '' }
  }

  const send = (acme: Acme, { id }: { id: string }, content: object, origin = 'AGENT') =>
    acme.call('POST', `/chatroom/${id}/messages`, {}, { origin, ...content })

  async function sendAll(acme: Acme, all: { id: string }[], content: object) {
    for (const room of all) expect((await send(acme, room, content)).status).toBe(202)
  }

  type Shown = { wamid: string; status: string | null; errors: { code?: number; title: string }[] | null }
  const shown = async (acme: Acme, { id }: { id: string }): Promise<Shown> =>
    (await acme.call('GET', `/chatroom/${id}/messages`)).body.messages[0]

  const stopped = async ({ org }: Acme) => {
    const text =
      'select stopped_reason as reason from waba_phones where org_id = $1 and stopped_at is not null'
    return (await acmes.app.db.$client.query(text, [org.id])).rows.map(({ reason }) => reason)
  }
  const states = async ({ org }: Acme) => {
    const text = 'select state from outbox where org_id = $1 order by position'
    return (await acmes.app.db.$client.query(text, [org.id])).rows.map(({ state }) => state)
  }

  /** A `failed` status of a message, with the code. */
  const fail = (acme: Acme, wamid: string, code: number) =>
    acme.deliver('messages', {
      statuses: [
        {
          ...{ id: wamid, status: 'failed', timestamp: String(Math.floor(Date.now() / 1000)) },
          errors: [{ code, title: 'no' }],
        },
      ],
    })

  it('one template without permission fails alone; free text without permission stops the number', async () => {
    const acme = await acmes.create()
    const [ana, bo, cleo] = ['15550002222', '15550008888', '15550004444']
    const room = await rooms(acme, [ana, bo, cleo])
    acmes.graph.set((res, request, accept) => {
      const { name } = (request.body.template ?? {}) as { name?: string }
      const refusal = replies(403, {
        error: { code: 10, message: '(#10) Application does not have permission' },
      })
      if (name === 'flow_a' || request.body.to === `+${cleo}`) refusal(res, request, accept)
      else accepts(res, request, accept)
    })
    await sendAll(acme, [room(ana)], template('flow_a'))
    await expect
      .poll(() => shown(acme, room(ana)))
      .toMatchObject({
        status: 'failed',
        errors: [{ code: 10, message: '(#10) Application does not have permission' }],
      })
    await sendAll(acme, [room(bo)], TEXT)
    await sendAll(acme, [room(ana)], template('welcome'))
    await expect.poll(() => states(acme)).toEqual(['failed', 'sent', 'sent'])
    expect(await stopped(acme)).toEqual([])
    await sendAll(acme, [room(cleo)], TEXT)
    await expect.poll(() => stopped(acme)).toEqual(['Graph error 10 (HTTP 403)'])
    await expect.poll(() => states(acme)).toEqual(['failed', 'sent', 'sent', 'queued'])
  })

  it('each common error of the Graph API has its effect, once', async () => {
    const acme = await acmes.create()
    const again: [number, Reply][] = [
      [4, refuses(4)],
      [80007, refuses(80007)],
      [130429, replies(429, { error: { code: 130429 } }, { 'retry-after': '7' })],
      [131056, refuses(131056)],
      ...[131016, 131000, 2, 1].map((code): [number, Reply] => [code, refuses(code, 500)]),
      [131057, refuses(131057, 503)],
    ]
    const codes = [131047, 131049, 131026, 130472, 131050, 100, 33, 132001, 132012, 132015, 131053, 131999]
    const lasting = codes.map((code): [number, Reply] => [
      code,
      replies(400, { error: { code, message: `text of ${code}`, error_data: { details: 'more' } } }),
    ])
    const held = { id: 'wamid.HELD', message_status: 'held_for_quality_assessment' }
    const odd: Reply[] = [replies(502, '<html>'), replies(200, {}), replies(200, { messages: [held] })]
    const customers = (prefix: string, n: number) =>
      Array.from({ length: n }, (_, i) => `1555${prefix}${100 + i}`)
    const [a, b, c] = [
      customers('1000', again.length),
      customers('2000', lasting.length),
      customers('3000', 3),
    ]
    const { reply, asked } = answersOf(
      Object.fromEntries([
        ...again.map(([, one], i) => [a[i], [one]]),
        ...lasting.map(([, one], i) => [b[i], [one]]),
        ...odd.map((one, i) => [c[i], [one]]),
      ]),
    )
    acmes.graph.set(reply)
    const room = await rooms(acme, [...a, ...b, ...c])
    await sendAll(acme, [...a, ...b, ...c].map(room), template('welcome'))
    await expect
      .poll(() => states(acme))
      .toEqual([...again.map(() => 'sent'), ...lasting.map(() => 'failed'), 'unknown', 'unknown', 'sent'])
    const requests = [...a, ...b, ...c].map((customer) => asked.get(customer)?.length)
    expect(requests).toEqual([...again.map(() => 2), ...lasting.map(() => 1), 1, 1, 1])
    const [first = 0, second = 0] = asked.get(a[2] ?? '') ?? []
    expect(second - first).toBeGreaterThanOrEqual(7_000)
    for (const [i, [code]] of lasting.entries()) {
      expect(await shown(acme, room(b[i] ?? ''))).toMatchObject({
        status: 'failed',
        errors: [{ code, message: `text of ${code}`, error_data: { details: 'more' } }],
      })
    }
    expect(await shown(acme, room(c[2] ?? ''))).toMatchObject({
      wamid: 'wamid.HELD',
      errors: [{ title: 'held_for_quality_assessment' }],
    })
    expect(await stopped(acme)).toEqual([])
  })

  it.each([
    [190, 401],
    [368, 403],
    [131031, 403],
    [133010, 400],
    [131042, 400],
    [131045, 500],
  ])(
    'error %i (HTTP %i) stops the number, and its messages wait until it is provisioned again',
    async (code, status) => {
      const acme = await acmes.create()
      const [ana, bo] = ['15550002222', '15550008888']
      const room = await rooms(acme, [ana, bo])
      acmes.graph.set(answersOf({ [ana]: [refuses(code, status)] }).reply)
      await sendAll(acme, [room(ana)], template('welcome'))
      await expect.poll(() => stopped(acme)).toEqual([`Graph error ${code} (HTTP ${status})`])
      await sendAll(acme, [room(bo)], TEXT)
      await expect.poll(() => states(acme)).toEqual(['queued', 'queued'])
      await acme.provisionAgain()
      await expect.poll(() => states(acme)).toEqual(['sent', 'sent'])
    },
  )

  it('error 131049 in a status lets no campaign write to this customer, and to nobody else, for 24 h', async () => {
    const acme = await acmes.create()
    const [ana, bo] = ['15550002222', '15550008888']
    const room = await rooms(acme, [ana, bo])
    acmes.graph.set(accepts)
    await send(acme, room(ana), template('offer'), 'CAMPAIGN')
    await expect.poll(() => states(acme)).toEqual(['sent'])
    await fail(acme, (await shown(acme, room(ana))).wamid, 131049)
    const refused = await send(acme, room(ana), template('offer'), 'CAMPAIGN')
    expect([refused.status, refused.body.error_message]).toEqual([409, 'MARKETING_PAUSED'])
    expect(Date.parse(refused.body.payload.until) - Date.now()).toBeGreaterThan(23.9 * 3_600_000)
    expect((await send(acme, room(ana), TEXT)).status).toBe(202)
    expect((await send(acme, room(bo), template('offer'), 'CAMPAIGN')).status).toBe(202)
    const past = `update customers set marketing_paused_until = now() - interval '1 second' where org_id = $1`
    await acmes.app.db.$client.query(past, [acme.org.id])
    expect((await send(acme, room(ana), template('offer'), 'CAMPAIGN')).status).toBe(202)
  })

  it('error 131050 opts the customer out, in an answer and in a status, until the customer resumes', async () => {
    const acme = await acmes.create()
    const [ana, bo] = ['15550002222', '15550008888']
    const room = await rooms(acme, [ana, bo])
    acmes.graph.set(answersOf({ [bo]: [refuses(131050)] }).reply)
    for (const customer of [ana, bo]) {
      await send(acme, room(customer), template('offer'), 'CAMPAIGN')
    }
    await expect.poll(() => states(acme)).toEqual(['sent', 'failed'])
    const { wamid } = await shown(acme, room(ana))
    await fail(acme, wamid, 131050)
    for (const customer of [ana, bo]) {
      const { status, body } = await send(acme, room(customer), template('offer'), 'CAMPAIGN')
      expect([status, body.error_message]).toEqual([409, 'CUSTOMER_OPTED_OUT'])
      expect((await send(acme, room(customer), TEXT)).status).toBe(202)
    }
    const timestamp = Math.floor(Date.now() / 1000) + 1
    await expect.poll(() => Date.now()).toBeGreaterThan(timestamp * 1000)
    await acme.deliver('user_preferences', {
      contacts: [{ wa_id: ana }],
      user_preferences: [{ wa_id: ana, category: 'marketing_messages', value: 'resume', timestamp }],
    })
    await fail(acme, wamid, 131050)
    expect((await send(acme, room(ana), template('offer'), 'CAMPAIGN')).status).toBe(202)
  })

  it('a status stops the number for a payment that is due, once, and not after it was provisioned again', async () => {
    const acme = await acmes.create()
    const ana = '15550002222'
    const room = await rooms(acme, [ana])
    acmes.graph.set(accepts)
    await sendAll(acme, [room(ana)], template('welcome'))
    await expect.poll(() => states(acme)).toEqual(['sent'])
    const { wamid } = await shown(acme, room(ana))
    await fail(acme, 'wamid.OFANOTHERAPP', 131042)
    expect(await stopped(acme)).toEqual([])
    await fail(acme, wamid, 131042)
    expect(await stopped(acme)).toEqual(['status with Graph error 131042'])
    await acme.provisionAgain()
    await fail(acme, wamid, 131042)
    expect(await stopped(acme)).toEqual([])
  })
})
