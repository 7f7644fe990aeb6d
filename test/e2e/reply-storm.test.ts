import { expect, it } from 'vitest'
import { contactsOf, startAcmes, textOf } from '../support/acme.ts'
import { engines } from '../support/app.ts'
import { accepts, type Reply } from '../support/graph-server.ts'

const LOUD = '15550002222'
const MESSAGES = 300
/** Of a pair's ten messages a minute, auto-replies use half. */
const REPLIES_A_MINUTE = 5
/** A pair that waits is one row; its jobs wake the senders, and are not one for each message that waits. */
const MAX_JOBS = 50

const slowly: Reply = (...args) => void setTimeout(() => accepts(...args), 50)

it.each(engines())(
  '300 texts of one person into an expired chatroom delay nobody else, also in the same org, and leave few jobs (%s)',
  async (engine) => {
    const acmes = await startAcmes(engine)
    acmes.graph.set(slowly)
    const [loud, other] = [await acmes.create({ auto_reply_burst: null }), await acmes.create()]
    await loud.room(LOUD, 'expired')
    const began = performance.now()
    for (let i = 0; i < MESSAGES; i += 100) {
      const messages = Array.from({ length: 100 }, () => textOf(LOUD))
      await loud.deliver('messages', { messages, contacts: contactsOf(LOUD) })
    }
    expect(await loud.replies()).toBe(MESSAGES)
    const takenOf = (to: string) => acmes.graph.accepted.filter((send) => send.to === `+${to}`).length
    await expect.poll(() => takenOf(LOUD)).toBeGreaterThanOrEqual(REPLIES_A_MINUTE)

    for (const [acme, customer] of [
      [loud, '15550003333'],
      [other, '15550004444'],
    ] as const) {
      const room = await acme.room(customer, 'active', { lastInboundAt: new Date() })
      const text = { origin: 'AGENT', text: { body: 'hello' } }
      expect((await acme.call('POST', `/chatroom/${room.id}/messages`, {}, text)).status).toBe(202)
      await expect.poll(() => takenOf(customer)).toBe(1)
    }
    const minutes = 1 + Math.floor((performance.now() - began) / 60_000)
    expect(takenOf(LOUD)).toBeLessThanOrEqual(minutes * REPLIES_A_MINUTE)
    expect(await jobsOf(acmes.app.opsUrl)).toBeLessThan(MAX_JOBS)
  },
)

/** Jobs of the queue `outbound` that wait, are delayed or are being processed. */
async function jobsOf(opsUrl: string | undefined): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text()
  const lines = [...text.matchAll(/^usher_queue_jobs\{queue="outbound",state="(\w+)"\} (\d+)$/gm)]
  expect(lines.length).toBeGreaterThan(0)
  return lines.filter(([, state]) => state !== 'failed').reduce((sum, [, , count]) => sum + Number(count), 0)
}
