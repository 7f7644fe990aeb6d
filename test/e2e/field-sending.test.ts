import { createServer, type Socket } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Acme, type Acmes, contactsOf, startAcmes, textOf } from '../support/acme.ts'
import { engines } from '../support/app.ts'
import { atEndOf } from '../support/at-end.ts'
import { accepts, acceptsBut, type Reply, refuses, replies, resets } from '../support/graph-server.ts'
import { eventually } from '../support/patience.ts'

const ANA = '15550002222'
const BO = '15550008888'

describe.each(engines())('what leaves, queue on %s', (engine) => {
  let acmes: Acmes

  beforeAll(async () => {
    acmes = await startAcmes(engine)
  })

  /** An Acme, and the active chatroom of a customer who has just written. */
  async function chat(customer = ANA, acme?: Acme) {
    const own = acme ?? (await acmes.create())
    const room = await own.room(customer)
    await own.deliver('messages', { messages: [textOf(customer)], contacts: contactsOf(customer) })
    const send = async (body: string) => {
      const message = { origin: 'AGENT', text: { body } }
      const { status, body: sent } = await own.call('POST', `/chatroom/${room.id}/messages`, {}, message)
      expect(status).toBe(202)
      return sent as { id: string; wamid: string; status: string }
    }
    const list = async (query = '') =>
      (await own.call('GET', `/chatroom/${room.id}/messages${query}`)).body.messages.toReversed()
    const retry = (wamid: string, body: object = {}) =>
      own.call('POST', `/chatroom/${room.id}/messages/${wamid}/retry`, {}, body)
    const status = (item: object, at = Math.floor(Date.now() / 1000)) =>
      own.deliver('messages', { statuses: [{ timestamp: String(at), recipient_id: customer, ...item }] })
    return { acme: own, room, send, list, retry, status }
  }

  /** The texts that the stand-in took from an org's first number, in order. */
  const taken = ({ org }: Acme) => {
    const texts = new Map(acmes.graph.requests.map(({ body }) => [callbackOf(body), body.text]))
    return acmes.graph.accepted
      .filter(({ phoneId }) => phoneId === org.phones[0])
      .map(({ callback }) => (texts.get(callback) as { body: string }).body)
  }
  const callbackOf = (body: Record<string, unknown>) => String(body.biz_opaque_callback_data)
  const tries = (id: string) => acmes.graph.requests.filter(({ body }) => callbackOf(body) === id).length
  const slowly: Reply = (...args) => void setTimeout(() => accepts(...args), 800)
  const FIVE = ['1', '2', '3', '4', '5']

  it.each<[string, Reply]>([
    ['takes 800 ms', slowly],
    ['meets the pair rate', refuses(131056)],
    ['meets an overload', replies(500, { error: { code: 131016 } })],
    [
      'meets a limit that says how long to wait',
      replies(429, { error: { code: 130429 } }, { 'retry-after': '3' }),
    ],
  ])(
    'texts to one customer leave in order although the first one %s, and others do not wait',
    async (_, first) => {
      const ana = await chat(ANA)
      const bo = await chat(BO, ana.acme)
      acmes.graph.script.push(first)
      for (const text of FIVE) await ana.send(text)
      await eventually(() => acmes.graph.script.length === 0)
      await bo.send('to Bo')
      await expect.poll(() => taken(ana.acme)).toContain('5')
      expect(taken(ana.acme).filter((text) => text !== 'to Bo')).toEqual(FIVE)
      expect(taken(ana.acme).indexOf('to Bo')).toBeLessThan(5)
    },
  )

  it('a text whose outcome is unknown, and one that is refused for good, hold up no later one', async () => {
    const { acme, send, list } = await chat()
    acmes.graph.script.push(resets, refuses(131053), accepts)
    for (const text of ['1', '2', '3']) await send(text)
    await expect.poll(() => taken(acme)).toEqual(['3'])
    await expect
      .poll(async () => (await list()).slice(1).map(({ status }: { status: string }) => status))
      .toEqual(['unknown', 'failed', 'sent'])
  })

  /** The stand-in takes the message, these statuses of it come, and its answer comes 300 ms after them. */
  const statusesFirst =
    (report: (wamid: string, id: string) => Promise<unknown>, answer?: Reply): Reply =>
    (res, request, accept) => {
      const wamid = accept({ confirmed: true })
      report(wamid, callbackOf(request.body)).then(() =>
        setTimeout(() => (answer ?? replies(200, { messages: [{ id: wamid }] }))(res, request, accept), 300),
      )
    }

  it.each([
    ['sent, then delivered', ['sent', 'delivered'], 'delivered'],
    ['delivered twice, then sent late', ['delivered', 'delivered', 'sent'], 'delivered'],
    ['failed, then read', ['failed', 'read'], 'read'],
  ])('statuses without callback data that come before the answer count: %s', async (_, names, end) => {
    const { send, list, status } = await chat()
    acmes.graph.script.push(
      statusesFirst(async (wamid) => {
        for (const name of names)
          await status({ id: wamid, status: name, ...(name === 'failed' && { errors: [{ code: 131026 }] }) })
      }),
    )
    const sent = await send('hello')
    await expect
      .poll(async () => (await list()).at(-1))
      .toMatchObject({ id: sent.id, status: end, errors: null })
  })

  it.each([
    ['overloaded', replies(500, { error: { code: 131016 } }, { 'retry-after': '2' })],
    ['the pair rate is used up', refuses(131056)],
  ])(
    'a message that Meta has, although it says that %s, is not sent again once a status names it',
    async (_, says) => {
      const { acme, send, list, status } = await chat()
      const report = (wamid: string, id: string) =>
        status({ id: wamid, status: 'delivered', biz_opaque_callback_data: id })
      acmes.graph.script.push(statusesFirst(report, says))
      const sent = await send('once')
      await expect.poll(async () => (await list()).at(-1)).toMatchObject({ id: sent.id, status: 'delivered' })
      await send('next')
      await expect.poll(() => taken(acme)).toEqual(['once', 'next'])
      expect(tries(sent.id)).toBe(1)
    },
  )

  it('a message keeps its id from the answer of the API to its last status', async () => {
    const { send, list, status } = await chat()
    const sent = await send('traced')
    expect(sent).toMatchObject({ wamid: `outbox:${sent.id}`, status: 'queued' })
    await expect.poll(async () => (await list()).at(-1).status).toBe('sent')
    const { id, wamid } = (await list()).at(-1)
    expect([id, wamid.startsWith('wamid.')]).toEqual([sent.id, true])
    for (const name of ['delivered', 'read', 'played']) {
      await status({ id: wamid, status: name })
      await expect.poll(async () => (await list()).at(-1)).toMatchObject({ id: sent.id, wamid, status: name })
    }
  })

  it('a failed and an unknown message are sent again by a person, the unknown one only after confirmation', async () => {
    const { acme, send, list, retry, status } = await chat()
    acmes.graph.script.push(refuses(131053), acceptsBut(resets))
    const [failed, unknown] = [await send('failed'), await send('unknown')]
    const statusOf = async ({ id }: { id: string }) =>
      (await list()).find((one: { id: string }) => one.id === id)?.status
    await expect.poll(() => statusOf(failed)).toBe('failed')
    await expect.poll(() => statusOf(unknown)).toBe('unknown')
    expect((await list('?status=failed')).map(({ id }: { id: string }) => id)).toEqual([failed.id])
    expect((await retry(unknown.wamid)).body.error_message).toBe('OUTCOME_IS_UNKNOWN')
    const again = [await retry(failed.wamid), await retry(unknown.wamid, { confirm: true })]
    expect(again.map(({ status, body }) => [status, body.retry_of])).toEqual([
      [202, failed.id],
      [202, unknown.id],
    ])
    for (const { body } of again) await expect.poll(() => statusOf(body)).toBe('sent')
    expect(taken(acme)).toEqual(['unknown', 'failed', 'unknown'])
    // A late status of the old try belongs to the old message.
    const old = acmes.graph.accepted.find(({ callback }) => callback === unknown.id)
    await status({ id: old?.wamid, status: 'read', biz_opaque_callback_data: unknown.id })
    expect([await statusOf(unknown), await statusOf(again[1]!.body)]).toEqual(['read', 'sent'])
  })
})

describe.each(engines())('a Graph API that closes idle connections, queue on %s', (engine) => {
  it.each(['reset at the next request', 'closed after the answer'])(
    'gets each auto-reply once over a connection of its own: %s',
    async (how) => {
      const bodies: string[] = []
      const server = createServer((socket) => answerOnce(socket, how, bodies))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      atEndOf('test', () => server.close())
      const { port } = server.address() as { port: number }
      const acmes = await startAcmes(engine, { GRAPH_API_URL: `http://127.0.0.1:${port}` })
      const acme = await acmes.create()
      await acme.room(ANA, 'expired')
      for (const [i, text] of ['one', 'two', 'three'].entries()) {
        await acme.deliver('messages', { messages: [textOf(ANA, { text: { body: text } })] })
        await eventually(() => bodies.length === i + 1)
      }
      const states = async () =>
        (await acmes.app.db.$client.query('select state from outbox where org_id = $1', [acme.org.id])).rows
      await expect.poll(states).toEqual([{ state: 'sent' }, { state: 'sent' }, { state: 'sent' }])
      expect(new Set(bodies).size).toBe(3)
    },
  )

  /** Answers the first request of a connection and keeps it open; a second one over it is never processed. */
  function answerOnce(socket: Socket, how: string, bodies: string[]): void {
    let text = ''
    let isAnswered = false
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      if (isAnswered) return void socket.resetAndDestroy()
      text += bytes
      const callback = /"biz_opaque_callback_data":"([^"]+)"/.exec(text)?.[1]
      if (!callback || !text.endsWith('}')) return
      isAnswered = true
      bodies.push(callback)
      const body = JSON.stringify({ messages: [{ id: `wamid.${callback}` }] })
      socket.write(
        `HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      )
      if (how === 'closed after the answer') socket.end()
    })
  }
})
