import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatTable } from '../src/cli/table.ts'
import { mintToken } from '../src/cli/token.ts'
import { type Config, ConfigError } from '../src/config.ts'
import { readNow } from '../src/db/read-now.ts'
import { keepDemoAlive } from '../src/demo/keep-alive.ts'
import { playScenes, ROUTED_WITHIN_MS } from '../src/demo/play-scenes.ts'
import { createSignedPost, type Post } from '../src/demo/post.ts'
import { createSampleEndpoint, type SampleEndpoint } from '../src/demo/sample-endpoint.ts'
import { createSampleOrg, type SampleOrg } from '../src/demo/sample-org.ts'
import { createScenes } from '../src/demo/scenes.ts'
import { type GraphRequest, startStandInGraph } from '../src/demo/stand-in-graph.ts'
import { ListenError } from '../src/http/server.ts'
import { stopOnSignals } from '../src/lifetime.ts'
import { createLogger } from '../src/logger.ts'
import { readConfig } from '../src/read-config.ts'
import { type App, startApp } from './app.ts'

const STOP_MS = 10_000

/**
 * `npm run demo`: the whole of Usher in one process, with sample webhooks posted to its real receiver. With `--once` it
 * exits after the scenes, 0 when every message was routed as the rules say, else 1.
 */
async function main(): Promise<void> {
  const once = process.argv.includes('--once')
  const graph = await startStandInGraph()
  const config = demoConfig(once, graph.url)
  console.log('Starting Usher: receiver, API, queue and workers in one process ...')
  const app = await startApp(config, 'all', createLogger(config))
  app.lifetime.onStop('stand-in Graph API', graph.stop)
  const now = await readNow(app.db)
  const run = now.getTime().toString(36)
  const org = await createSampleOrg(app.db, run, now, config.secretsKey)
  const endpoint = await createSampleEndpoint(app.db, org.id, config.secretsKey)
  app.lifetime.onStop('receiver of the webhook endpoint', endpoint.stop)
  const post = createSignedPost(`${app.url}/webhooks/whatsapp`, config.meta.appSecrets[0] ?? '')
  const ok = await play(app, { org, run, now }, post, { sent: graph.requests, endpoint })
  if (once) {
    await app.lifetime.stop(STOP_MS)
    process.exit(ok ? 0 : 1)
  }
  stopOnSignals(app.lifetime, { deadlineMs: STOP_MS, exit: (code) => process.exit(code) })
  const sample = { org, run, now, secretsKey: config.secretsKey }
  app.lifetime.onStop('sample traffic', await keepDemoAlive(app.db, sample, (body) => post({ body })))
  await printUrls(app, config, org)
  app.lifetime.onStop('line about the webhook endpoint', keepCounting(endpoint))
}

/** Generates secrets for this run; with `--once` it also takes free ports, so that a running Usher is no obstacle. */
function demoConfig(once: boolean, graphUrl: string): Config {
  const defaults = {
    // The demo that stays up posts a broken delivery on purpose; the console shows it, so the log need not.
    LOG_LEVEL: once ? 'warn' : 'fatal',
    OPS_USER: 'demo',
    OPS_PASSWORD: randomBytes(9).toString('base64url'),
    META_APP_SECRET: randomBytes(16).toString('hex'),
    META_VERIFY_TOKEN: 'demo',
    JWT_SECRET: randomBytes(32).toString('hex'),
    SECRETS_KEY: randomBytes(32).toString('base64'),
    WEBHOOK_ALLOW_PRIVATE: 'true',
    HOST: '127.0.0.1',
    ...(once && { PORT: '0', OPS_PORT: '0' }),
  }
  const config = readConfig({ ...defaults, ...process.env, GRAPH_API_URL: graphUrl }, 'all')
  // Sample data never mixes with that of `npm start`.
  return { ...config, embeddedFolder: '.data/demo' }
}

async function play(
  app: App,
  { org, run, now }: { org: SampleOrg; run: string; now: Date },
  post: Post,
  { sent, endpoint }: { sent: GraphRequest[]; endpoint: SampleEndpoint },
): Promise<boolean> {
  const scenes = createScenes(org, run, now)
  console.log(`\nPosting ${scenes.length} signed deliveries to ${app.url}/webhooks/whatsapp\n`)
  const played = await playScenes(app.db, { org, run, scenes }, post)
  console.log(formatTable(['message', 'answer', 'found', 'went to', 'why'], played.rows))
  const wamids = scenes.flatMap(({ messages }) => messages.map(({ wamid }) => wamid))
  const [isReplied, isPosted] = [await replyArrives(sent), await eventsArrive(endpoint, wamids)]
  const ok = isReplied && isPosted && played.ok
  console.log(`\n${ok ? 'Every message went where the rules say.' : 'SOMETHING WENT WRONG: see the table.'}`)
  return ok
}

/** Waits for the one auto-reply of the scenes, which the stand-in Graph API must receive exactly once. */
async function replyArrives(sent: GraphRequest[]): Promise<boolean> {
  const end = Date.now() + ROUTED_WITHIN_MS
  while (sent.length === 0 && Date.now() < end) await sleep(20)
  for (const { path, body } of sent) {
    console.log(`\nThe stand-in Graph API was asked to send: POST ${path}\n  ${JSON.stringify(body)}`)
  }
  return sent.length === 1
}

/** Waits until the webhook endpoint of the org has the events of all messages of the scenes, each with a signature that fits. */
async function eventsArrive(endpoint: SampleEndpoint, wamids: string[]): Promise<boolean> {
  const isComplete = await endpoint.hasMessages(wamids, ROUTED_WITHIN_MS)
  console.log(`\nThe webhook endpoint ${endpoint.url} got ${describeEvents(endpoint)}`)
  for (const [type, count] of endpoint.types) console.log(`  ${type.padEnd(24)} ${count}`)
  return isComplete && endpoint.refused() === 0
}

function describeEvents({ types, refused }: SampleEndpoint): string {
  const count = [...types.values()].reduce((sum, n) => sum + n, 0)
  return `${count} events; the signatures of ${refused() === 0 ? 'all of them fit' : `${refused()} others do not fit`}`
}

/** On a terminal, the last line says how many events have arrived. Returns the function that stops it. */
function keepCounting(endpoint: SampleEndpoint): () => void {
  if (!process.stdout.isTTY) return () => {}
  const print = () => process.stdout.write(`\rThe webhook endpoint has got ${describeEvents(endpoint)} `)
  const timer = setInterval(print, 1_000)
  return () => clearInterval(timer)
}

async function printUrls(app: App, config: Config, org: SampleOrg): Promise<void> {
  const { login } = config.ops
  const token = await mintToken({ org: org.id, role: 'ADMIN', user: 'asha', hours: '12' }, config.jwt)
  console.log(`
Usher stays up, and its sample customers keep writing, until you press Ctrl+C:
  console    ${app.opsUrl}/console   (user ${login?.user}, password ${login?.password})
  webhook    ${app.url}/webhooks/whatsapp
  API docs   ${app.url}/docs
  ready      ${app.opsUrl}/ready
  metrics    ${app.opsUrl}/metrics
  queues     ${app.opsUrl}/queues/   (the same login)
  database   ${app.databaseUrl}

To ask where a message of Ana would go:
  curl '${app.url}/v1/org/${org.id}/route?phone=%2B${org.customers.active.slice(1)}&remote_phone_id=${org.phoneId}' \\
    -H 'authorization: Bearer ${token}'
`)
}

main().catch((error: Error) => {
  const expected = error instanceof ConfigError || error instanceof ListenError
  process.stderr.write(`${expected ? error.message : error.stack}\n`)
  process.exit(1)
})
