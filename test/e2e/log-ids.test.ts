import { expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { startTestApp } from '../support/app.ts'
import { createOrg } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

it('every log line of a delivery, from its receipt to its end, has its id, and no line has its text', async () => {
  let output = ''
  const write = (line: string) => {
    output += line
  }
  const app = await startTestApp('postgres', {}, { log: createLogger({ logLevel: 'debug' }, { write }) })
  const org = await createOrg(app.db)
  const canary = message({ body: 'CANARY' })
  const bodies = {
    routed: post(org.phones[0]!, canary),
    parked: post('nobodys-phone', canary),
    dead: Buffer.from('not JSON: CANARY'),
  }
  const linesOf = (id: number) =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
      .filter((line) => line.delivery === id || line.deliveries?.includes(id))
      .map((line) => line.msg)
  const ends = {
    routed: [],
    parked: ['a delivery was parked'],
    dead: ['a delivery became a dead letter'],
  }
  let id = 0
  for (const [end, body] of Object.entries(bodies)) {
    expect(await app.post(body)).toBe(200)
    id += 1
    const way = ['deliveries stored', ...ends[end as keyof typeof ends], 'deliveries processed']
    // A worker may finish a single delivery before the receiver has it on the disk, so the order of lines varies.
    await expect.poll(() => linesOf(id).sort()).toEqual(way.sort())
  }
  expect(output).not.toContain('CANARY')
  expect(output).not.toContain(canary.from)
})
