import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { expect, it } from 'vitest'
import { VARIABLES } from '../../src/config-variables.ts'
import { provision } from '../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { projectRoot } from '../../src/project-root.ts'
import { listEndpoints } from '../../src/webhook-endpoints/read-endpoints.ts'
import { openSecret } from '../../src/webhook-endpoints/secret.ts'
import { JWT_SECRET, mint } from '../support/api.ts'
import { startTestApp } from '../support/app.ts'
import { atEndOf } from '../support/at-end.ts'

const README = readFileSync(join(projectRoot(), 'README.md'), 'utf8')
const block = (language: string) => README.match(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's'))?.[1] ?? ''

it('the walk through the API goes as the README shows it', async () => {
  const key = randomBytes(32)
  const settings = { JWT_SECRET, SECRETS_KEY: key.toString('base64'), WEBHOOK_ALLOW_PRIVATE: 'true' }
  const app = await startTestApp('postgres', settings)
  await provision(app.db, parseProvisionFile(block('json')), key)
  const crm = await startCrm()
  const env = { ...process.env, USHER: app.url ?? '', TOKEN: await mint({ org: 'acme' }), HOOKS: crm.url }
  const script = `set -euo pipefail\n${block('bash')}`
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { env, cwd: projectRoot() })
  const [imported, summary, route, sent, list, , detail, erasure] = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  expect(imported).toMatchObject({ line: 1, status: 'created', crm_id: 'lead-2' })
  expect(summary).toEqual({ summary: { lines: 1, created: 1, exists: 0, rejected: 0 } })
  expect(route).toMatchObject({ decision: 'active', candidates: [{ state: 'active' }] })
  expect(sent).toMatchObject({ direction: 'out', type: 'template' })
  expect(list.messages).toHaveLength(1)
  expect(detail).toMatchObject({ state: 'deactivated', users: ['asha'], display_name: 'lead-1 Ana' })
  expect(erasure).toMatchObject({ state: 'running', messages: 1 })
  const [endpoint] = await listEndpoints(app.db, 'acme')
  const verifier = new Webhook(openSecret(endpoint!.secret, endpoint!, key) ?? '')
  const types = () =>
    crm.posts.map((one) => (verifier.verify(one.body, one.headers) as { type: string }).type)
  await expect.poll(types).toContain('chatroom.deactivated')
  expect(types()).toContain('contact.created')
})

/** A receiver that takes all that is posted to it. */
async function startCrm() {
  const posts: { body: string; headers: Record<string, string> }[] = []
  const server = createServer(async (req, res) => {
    posts.push({ body: await text(req), headers: req.headers as Record<string, string> })
    res.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEndOf('test', () => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, posts }
}

it('the README names every variable and every npm command', () => {
  for (const name of VARIABLES) expect(README).toContain(name)
  const { scripts } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'))
  for (const name of [
    'start',
    'demo',
    'test',
    'check',
    'migrate',
    'provision',
    'token',
    'sweep',
    'import',
    'webhooks:listen',
  ]) {
    expect(Object.keys(scripts)).toContain(name)
    expect(README).toMatch(new RegExp(`npm (run )?${name}`))
  }
})
