import { expect, it } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { createLogger } from '../../src/logger.ts'
import { queueMessages } from '../../src/outbound/queue-messages.ts'
import { engines, startTestApp } from '../support/app.ts'
import { startGraph } from '../support/graph.ts'

import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'

/** The level of a warning in the JSON lines of the logger. */
const WARN = 40

it.each(engines())(
  'a message that may not be sent any more when its turn comes leaves a log line with org, number and reason (%s)',
  async (engine) => {
    let output = ''
    const write = (line: string) => {
      output += line
    }
    const graph = await startGraph()
    const env = { GRAPH_API_URL: graph.url, SECRETS_KEY }
    const app = await startTestApp(engine, env, { log: createLogger({ logLevel: 'info' }, { write }) })
    const org = await createSendingOrg(app.db)
    const room = await createRoom(app.db, org, { lastInboundAt: new Date(), deactivatedAt: new Date() })
    const { id: roomId, customerId, wabaPhoneId: phoneId } = room
    const place = { orgId: org.id, roomId, customerId, phoneId }
    const payload = { type: 'text', text: { body: 'CANARY' } }
    const about = {
      kind: 'message' as const,
      origin: 'AGENT' as const,
      inReplyTo: null,
      reason: 'test',
      payload,
    }
    const [row] = await run(app.db, queueMessages([{ ...place, ...about }]))
    const lines = () =>
      output
        .split('\n')
        .filter((line) => line.includes(row!.id))
        .map((line) => JSON.parse(line))
    const reason = 'CHATROOM_IS_DEACTIVATED'
    const expected = { org: org.id, send: row!.id, number: org.phones[0], outcome: 'failed', reason }
    await expect.poll(lines).toMatchObject([{ level: WARN, ...expected }])
    expect(output).not.toContain('CANARY')
    expect(graph.accepted).toEqual([])
  },
)
