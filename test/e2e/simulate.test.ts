import { expect, it } from 'vitest'
import { simulateCommand } from '../../src/cli/simulate.ts'
import { startTestApp } from '../support/app.ts'
import { createOrg } from '../support/org.ts'
import { APP_SECRET } from '../support/post.ts'
import { runCommand } from '../support/run-command.ts'

const simulate = (args: string[], env?: Record<string, string>) => runCommand(simulateCommand(), args, env)

it('posts traffic of many kinds that the receiver accepts and the workers route, each message once', async () => {
  const app = await startTestApp('postgres')
  const org = await createOrg(app.db)
  const to = ['--phone-id', org.phones[0]!, '--waba-id', org.wabaId]
  const args = ['--url', app.url!, '--rate', '100', '--seconds', '2', '--customers', '20', ...to]
  const { code, output } = await simulate(args, { META_APP_SECRET: `${APP_SECRET}, old` })
  expect(output).toMatch(/^200 +200 +stored$/m)
  expect(output).toMatch(/^Answer times: \d+\.\d ms at the median, \d+\.\d ms at the 99th percentile\.$/m)
  expect(code).toBe(0)
  expect(output, 'no bar where there is no terminal').not.toContain('answered,')

  await app.drained()
  const [, deliveries, again, messages, statuses] =
    /^Posted (\d+) deliveries, (\d+) of them redeliveries: (\d+) messages, (\d+) statuses\.$/m.exec(output)!
  expect(Number(deliveries)).toBe(200)
  expect([messages, statuses, again].every((n) => Number(n) > 0)).toBe(true)
  const { rows } = await app.db.$client.query(
    `select count(*)::int as messages, count(distinct type)::int as types, count(distinct sender)::int as people
     from (select *, payload->>'from' as sender from messages where org_id = $1 and direction = 'in') m`,
    [org.id],
  )
  expect(rows[0].messages).toBe(Number(messages))
  expect(rows[0].types).toBeGreaterThan(4)
  expect(rows[0].people).toBeGreaterThan(5)
  expect(rows[0].people).toBeLessThanOrEqual(20)
  const inbox = await app.db.$client.query(`select state, error from inbox`)
  expect(inbox.rows).toEqual([])
})

it('says what a refusal means, and fails when nothing was taken', async () => {
  const app = await startTestApp('postgres')
  const few = ['--rate', '20', '--seconds', '0.2']
  const refused = await simulate(['--url', `${app.url}/webhooks/whatsapp`, '--secret', 'wrong', ...few])
  expect(refused.output).toMatch(/^401 +4 +the secret is not one of META_APP_SECRET of the installation$/m)
  expect(refused.code).toBe(1)
  const nowhere = await simulate(['--url', 'http://127.0.0.1:1', '--secret', 's', ...few])
  expect(nowhere.output).toMatch(/^none: E?\w+ +4/m)
  expect(nowhere.code).toBe(1)
})

it.each([
  [['--url', 'http://127.0.0.1:1'], '--secret, or META_APP_SECRET, is required'],
  [['--secret', 's'], "required option '--url <url>' not specified"],
  [['--url', 'localhost:3000', '--secret', 's'], 'Give the URL with its scheme'],
  [['--url', 'http://127.0.0.1:1', '--secret', 's', '--rate', 'fast'], 'Give a number above 0'],
  [['--url', 'http://127.0.0.1:1', '--secret', 's', '--loud'], "unknown option '--loud'"],
])('tells a mistake in a line: %j', async (args, message) => {
  const { code, output } = await simulate(args)
  expect(output).toContain(message)
  expect(output).not.toContain('    at ')
  expect(code).toBe(1)
})
