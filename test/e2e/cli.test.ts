import { expect, it } from 'vitest'
import { signedHeaders } from '../../src/event-push/sign.ts'
import { newSecret } from '../../src/webhook-endpoints/secret.ts'
import { createTestDatabase } from '../support/database.ts'
import { startProcess } from '../support/process.ts'

it('a command exits 0 when it is done, and 1 with one line when it is called wrongly', async () => {
  const { url: DATABASE_URL } = await createTestDatabase()
  const run = (...args: string[]) => startProcess('src/cli/main.js', args, { DATABASE_URL })
  const [done, mistaken, unset] = [
    run('sweep', '--dry-run'),
    run('sweep', '--at', 'yesterday'),
    run('simulate', '--url', 'http://127.0.0.1:1'),
  ]
  expect([await done.exited(), done.output()]).toEqual([0, expect.stringContaining('Nothing was changed.')])
  expect(await mistaken.exited()).toBe(1)
  expect(mistaken.output()).toMatch(
    /^error: option '--at <time>' argument '.*' is invalid\. Give a day, .*\n$/,
  )
  expect(await unset.exited()).toBe(1)
  expect(unset.output()).toMatch(/^--secret, or META_APP_SECRET, is required.*\n$/)
})

it('webhooks:listen prints the events that are signed with the secret, without what people wrote, and refuses others', async () => {
  const secret = newSecret()
  const listening = startProcess(
    'src/cli/main.js',
    ['webhooks:listen', '--port', '0', '--secret', secret],
    {},
  )
  const [, url = ''] = await listening.printed(/received at (http:\S+\/),/)
  const data = { wamid: 'wamid.A', customer: { id: 'customer-1' }, content: { text: 'canary' } }
  const event = { id: 'evt_7', type: 'message.received', timestamp: '2026-11-26T10:00:00.000Z', data }
  const body = JSON.stringify(event)
  const send = async (by: string) => {
    const headers = signedHeaders({ id: event.id, at: new Date(), body, secrets: [by] })
    return (await fetch(url, { method: 'POST', headers, body })).status
  }
  expect([await send(secret), await send(secret), await send(newSecret())]).toEqual([204, 204, 401])
  await listening.printed(/REFUSED +No matching signature found/)
  expect(listening.output()).toMatch(
    /T10:00:00.000Z +message.received +evt_7 +customer customer-1 +wamid wamid.A\n/,
  )
  expect(listening.output()).toMatch(/message.received +evt_7 +\(again\)/)
  expect(listening.output()).not.toContain('canary')
  expect(await listening.stop()).toBe(0)
})

it('webhooks:listen with --json prints whole events, and says what is wrong with its options', async () => {
  const secret = newSecret()
  const run = (...args: string[]) => startProcess('src/cli/main.js', ['webhooks:listen', ...args], {})
  const listening = run('--port', '0', '--secret', secret, '--json')
  const [, url = '', port = ''] = await listening.printed(/received at (http:\S+:(\d+)\/),/)
  const body = '{"id":"test_1","type":"webhook.test","timestamp":"2026-11-26T10:00:00.000Z","data":{}}'
  const headers = signedHeaders({ id: 'test_1', at: new Date(), body, secrets: [secret] })
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(204)
  await listening.printed(/"type":"webhook.test"/)
  expect(listening.output()).toContain(body)
  const [taken, wrong] = [run('--port', port, '--secret', secret), run('--secret', 'whsec_!')]
  expect([await taken.exited(), taken.output()]).toEqual([1, expect.stringContaining('EADDRINUSE')])
  expect([await wrong.exited(), wrong.output()]).toEqual([1, expect.stringContaining('as the API gave it')])
})
