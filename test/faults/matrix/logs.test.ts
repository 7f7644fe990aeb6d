import { expect, it } from 'vitest'
import { install } from '../../support/faults/installation.ts'
import { publishFigure } from '../../support/figures.ts'
import { startGraph } from '../../support/graph.ts'
import { replies } from '../../support/graph-server.ts'
import { send } from '../../support/http.ts'
import { createRoom, createSendingOrg } from '../../support/org.ts'
import { eventually } from '../../support/patience.ts'
import { bytes, change, delivery, message, post } from '../../support/webhooks.ts'

const LOGIN = { OPS_USER: 'ops', OPS_PASSWORD: 'leak-ops-password' }
const JWT = 'leak-jwt-secret-of-32-bytes-or-more'
const PHONE = '15554443322'
const EVIL = 'leak-line\r\n{"level":60,"msg":"forged"}\u001b[31m\u2028'

it('no secret, message text or phone is in any log, metric, error or job, and no content forges a log line', async (t) => {
  const site = await install(t, 'postgres')
  const graph = await startGraph(replies(400, { error: { code: 131047, message: `leak-graph ${PHONE}` } }))
  const org = await createSendingOrg(site.db)
  await createRoom(site.db, org, { customer: `+${PHONE}`, expiredAt: new Date(Date.now() - 1_000) })
  await site.db.$client.query(
    `alter table messages add constraint no_poison check (payload::text not like '%POISON%') not valid`,
  )
  const env = { LOG_LEVEL: 'trace', JWT_SECRET: JWT, GRAPH_API_URL: graph.url, ...LOGIN }
  const members = [await site.start('server', { env }), await site.start('workers', { env })]
  const [receiver, worker] = members as [(typeof members)[0], (typeof members)[0]]
  const mine = (body: string, extra: object = {}) => message({ from: PHONE, body, ...extra })
  const bodies = [
    post(org.phones[0]!, mine('leak-text')),
    post(org.phones[0]!, mine('leak-text POISON')),
    post(`nobody ${EVIL}`, mine('leak-text', { id: `wamid ${EVIL}` })),
    bytes(delivery([{ field: EVIL, value: { leak: 'leak-text' } }], `waba ${EVIL}`)),
    bytes(
      delivery([
        change(org.phones[0]!, { messages: [mine('leak-text', { type: EVIL })], errors: [{ code: EVIL }] }),
      ]),
    ),
    Buffer.from(`{"leak-text": ${PHONE}`),
  ]
  for (const body of bodies) await site.deliver(receiver.url, body)
  const left = () => site.db.$client.query(`select 1 from inbox where state = 'new'`)
  await eventually(async () => (await left()).rows.length === 0)
  await eventually(async () => graph.requests.length > 0)
  const answers: string[] = []
  const ask = async (url: string, options: Parameters<typeof send>[1] = {}) => {
    const reply = await send(url, options)
    answers.push(JSON.stringify(reply.headers) + reply.body)
  }
  const authorization = `Bearer ${JWT}.leak-token.x`
  await ask(`${receiver.url}/v2/org/leak-org/contact/pn/+${PHONE}`, { headers: { authorization } })
  await ask(`${receiver.url}/webhooks/whatsapp`, {
    method: 'POST',
    body: 'leak-text',
    headers: { 'x-hub-signature-256': 'leak-signature' },
  })
  await ask(
    `${receiver.url}/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=leak-wrong&hub.challenge=1`,
  )
  for (const { opsUrl } of members) {
    for (const path of ['/live', '/ready', '/metrics', '/queues', '/dead-letters'])
      await ask(opsUrl + path, { headers: { authorization: 'Basic leak-login' } })
  }
  const login = `Basic ${Buffer.from(`ops:${LOGIN.OPS_PASSWORD}`).toString('base64')}`
  await ask(`${worker.opsUrl}/dead-letters`, { headers: { authorization: login } })
  const { rows: tables } = await site.db.$client.query(
    `select tablename from pg_tables where schemaname = 'bullmq'`,
  )
  const jobs: string[] = []
  for (const { tablename } of tables) {
    const { rows } = await site.db.$client.query(`select t::text from bullmq.${tablename} t`)
    jobs.push(...rows.map((r) => r.t))
  }
  for (const member of members) member.kill('SIGTERM')
  await Promise.all(members.map((member) => member.exited()))
  const output = members.map((member) => member.output()).join('')
  const lines = output.trim().split('\n')
  const forged = lines.filter((line) => JSON.parse(line).msg === 'forged')
  // The ids of Meta's objects may be seen, as a JSON string.
  const everything = [output.replaceAll(JSON.stringify(EVIL).slice(1, -1), ''), ...answers, ...jobs].join(
    '\n',
  )
  expect(everything).not.toContain(PHONE)
  const leaks = [...new Set(everything.match(/leak[\w-]*/g))]
  expect({ forged, leaks }).toEqual({ forged: [], leaks: [] })
  expect(output).not.toContain('\u001b')
  publishFigure(29, {
    of: 'log lines, answers and job rows',
    n: lines.length + answers.length + jobs.length,
    wrong: [...forged, ...leaks],
  })
})
