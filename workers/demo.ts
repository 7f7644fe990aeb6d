import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { mintToken } from '../src/cli/token.ts'
import { type Config, ConfigError, readConfig } from '../src/config.ts'
import { createCrowd, createOpenOrg } from '../src/demo/crowd.ts'
import { CUSTOMERS, createSampleOrg, type SampleOrg } from '../src/demo/sample-org.ts'
import { createPost, createScenes, type Scene } from '../src/demo/scenes.ts'
import { type Sent, startStandInGraph } from '../src/demo/stand-in-graph.ts'
import { formatTable } from '../src/demo/table.ts'
import { type Street, startTraffic } from '../src/demo/traffic.ts'
import { countMessages, readWays, type Way } from '../src/demo/ways.ts'
import { ListenError } from '../src/http/server.ts'
import { sign } from '../src/http/signature.ts'
import { stopOnSignals } from '../src/lifetime.ts'
import { createLogger } from '../src/logger.ts'
import { type App, startApp } from './app.ts'

const ROUTED_WITHIN_MS = 20_000
const STOP_MS = 10_000

/** The whole of Usher in one process, fed with sample webhooks through its real door. */
async function main(): Promise<void> {
  const once = process.argv.includes('--once')
  const graph = await startStandInGraph()
  const config = demoConfig(once, graph.url)
  console.log('Starting Usher: its door, its queue and its workers, on a PostgreSQL of its own ...')
  const app = await startApp(config, 'all', createLogger(config))
  app.lifetime.onStop('stand-in Graph API', graph.close)
  const now = new Date()
  const org = await createSampleOrg(app.db, now.getTime().toString(36), now, config.secretsKey)
  const ok = await play(app, config, org, now, graph.sent)
  if (once) {
    await app.lifetime.stop(STOP_MS)
    process.exit(ok ? 0 : 1)
  }
  stopOnSignals(app.lifetime, { deadlineMs: STOP_MS, exit: (code) => process.exit(code) })
  await keepAlive(app, config, org, now)
  await printUrls(app, config, org)
}

/** Secrets made for this run alone; with `--once`, free ports too, so that it meets no running Usher. */
function demoConfig(once: boolean, graphUrl: string): Config {
  const defaults = {
    // What goes on for ever has its broken delivery on purpose: the console tells of it.
    LOG_LEVEL: once ? 'warn' : 'fatal',
    OPS_USER: 'demo',
    OPS_PASSWORD: randomBytes(9).toString('base64url'),
    META_APP_SECRET: randomBytes(16).toString('hex'),
    META_VERIFY_TOKEN: 'demo',
    JWT_SECRET: randomBytes(32).toString('hex'),
    SECRETS_KEY: randomBytes(32).toString('base64'),
    HOST: '127.0.0.1',
    ...(once && { PORT: '0', OPS_PORT: '0' }),
  }
  return readConfig({ ...defaults, ...process.env, GRAPH_API_URL: graphUrl }, 'all')
}

async function play(app: App, config: Config, org: SampleOrg, now: Date, sent: Sent[]): Promise<boolean> {
  const scenes = createScenes(org, now.getTime().toString(36), now)
  console.log(`\nPosting ${scenes.length} signed deliveries to ${app.url}/webhooks/whatsapp\n`)
  const rows: string[][] = []
  const results: boolean[] = []
  for (const scene of scenes) {
    const status = await post(app, config, scene)
    const ways = await waitForWays(app, org, scene)
    results.push(status === (scene.forged ? 401 : 200))
    for (const expected of scene.messages) {
      const way = ways.get(expected.wamid)
      results.push(way?.route === expected.route && (way.room ?? undefined) === expected.room)
    }
    rows.push(...describe(scene, status, ways))
  }
  const wamids = new Set(scenes.flatMap((s) => s.messages.map((m) => m.wamid)))
  results.push((await countMessages(app.db, org.id)) === wamids.size)
  console.log(formatTable(['message', 'answer', 'found', 'went to', 'why'], rows))
  results.push(await replyArrives(sent))
  const ok = results.every(Boolean)
  console.log(`\n${ok ? 'Every message went where the rules say.' : 'SOMETHING WENT WRONG: see the table.'}`)
  return ok
}

/** Sample customers who go on writing; and a delivery for a number nobody provisioned, and one that is broken. */
async function keepAlive(app: App, config: Config, org: SampleOrg, now: Date): Promise<void> {
  const run = now.getTime().toString(36)
  const shop = await createOpenOrg(app.db, run, config.secretsKey)
  const areas = [
    { org, areaCode: '+9198200' },
    { org: shop, areaCode: '+4477009' },
  ]
  const streets: Street[] = []
  for (const area of areas)
    streets.push({ ...area, members: await createCrowd(app.db, area.org, area.areaCode, now) })
  const send = (body: Buffer) => post(app, config, { body })
  const sample = { id: `wamid.${run}.early`, timestamp: '1790000000', type: 'text', text: { body: 'Hi' } }
  const nowhere = { ...org, phoneId: `unprovisioned-${run}` }
  await send(createPost(nowhere, [{ ...sample, from: '919810000009' }]))
  await send(Buffer.from('{"object":"whatsapp_business_account","entry":"broken on purpose"}'))
  app.lifetime.onStop('sample traffic', startTraffic(app.db, streets, send))
}

async function post(app: App, config: Config, scene: Pick<Scene, 'body' | 'forged'>): Promise<number> {
  const secret = scene.forged ? 'not the secret' : (config.meta.appSecrets[0] ?? '')
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': sign(scene.body, secret) }
  const response = await fetch(`${app.url}/webhooks/whatsapp`, {
    method: 'POST',
    headers,
    body: new Uint8Array(scene.body),
  })
  await response.text()
  return response.status
}

async function waitForWays(app: App, org: SampleOrg, scene: Scene): Promise<Map<string, Way>> {
  const wamids = scene.messages.map((m) => m.wamid)
  const end = Date.now() + ROUTED_WITHIN_MS
  for (;;) {
    const ways = await readWays(app.db, org.id, wamids)
    if (ways.size === wamids.length || Date.now() > end) return ways
    await sleep(20)
  }
}

/** The one auto-reply of the demo, seen by the stand-in Graph API. */
async function replyArrives(sent: Sent[]): Promise<boolean> {
  const end = Date.now() + ROUTED_WITHIN_MS
  while (sent.length === 0 && Date.now() < end) await sleep(20)
  for (const { path, body } of sent) {
    console.log(`\nThe stand-in Graph API was asked to send: POST ${path}\n  ${JSON.stringify(body)}`)
  }
  return sent.length === 1
}

function describe(scene: Scene, status: number, ways: Map<string, Way>): string[][] {
  if (scene.messages.length === 0)
    return [[scene.title, String(status), '', 'nowhere', 'refused at the door']]
  return scene.messages.map(({ wamid }, i) => {
    const way = ways.get(wamid)
    const head = i === 0 ? [scene.title, String(status)] : ['', '']
    if (!way) return [...head, '', 'NOT ROUTED', '']
    const found = way.candidates.map((c) => c.state).join(', ') || 'no chatroom'
    const reply = way.reply ? `; auto-reply ${way.reply}` : ''
    return [...head, found, way.room ?? '(held)', `${way.route}: ${way.reason}${reply}`]
  })
}

async function printUrls(app: App, config: Config, org: SampleOrg): Promise<void> {
  const { login } = config.ops
  const token = await mintToken({ org: org.id, role: 'ADMIN', user: 'asha', hours: '12' }, config.jwt)
  console.log(`
Usher stays up, with customers who go on writing, until you press Ctrl+C:
  console    ${app.opsUrl}/console   (user ${login?.user}, password ${login?.password})
  webhook    ${app.url}/webhooks/whatsapp
  API docs   ${app.url}/docs
  ready      ${app.opsUrl}/ready
  metrics    ${app.opsUrl}/metrics
  queues     ${app.opsUrl}/queues/   (the same login)
  database   ${app.databaseUrl}

Ask where a message of Ana would go:
  curl '${app.url}/v1/org/${org.id}/route?phone=%2B${CUSTOMERS.active.slice(1)}&remote_phone_id=${org.phoneId}' \\
    -H 'authorization: Bearer ${token}'
`)
}

main().catch((error: Error) => {
  const expected = error instanceof ConfigError || error instanceof ListenError
  process.stderr.write(`${expected ? error.message : error.stack}\n`)
  process.exit(1)
})
