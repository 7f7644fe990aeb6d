import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { ACCESS_TOKEN, createOrg, createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { APP_SECRET, postDelivery } from '../support/post.ts'
import { startUsher } from '../support/process.ts'
import { subscribe } from '../support/push.ts'
import { ago } from '../support/time.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'
import { message, post } from '../support/webhooks.ts'

const PRELOAD = `--import=${join(projectRoot(), 'test/fixtures/loaded-modules.mjs')}`
const engines = inject('redisUrl') === '' ? ['postgres'] : ['postgres', 'redis']

type Span = { name: string; traceId: string; spanId: string; parentSpanId?: string; kind: number }
type Export = {
  resourceSpans: { resource: { attributes: unknown[] }; scopeSpans: { spans: Span[] }[] }[]
}

const CUSTOMERS = ['15550001111', '15550002222', '15550003333', '15550004444']

/** From each span of this name to the first of its trace: each is a child of the next one. */
function waysOf(name: string, spans: Span[]): { names: string[]; isWhole: boolean }[] {
  const parentOf = ({ parentSpanId, traceId }: Span) =>
    spans.find((other) => other.spanId === parentSpanId && other.traceId === traceId)
  return spans
    .filter((span) => span.name === name)
    .map((last) => {
      const way = [last]
      for (let span = parentOf(last); span; span = parentOf(span)) way.push(span)
      return { names: way.map((span) => span.name), isWhole: way.at(-1)?.parentSpanId === undefined }
    })
}

/** Without it, a listener whose connection was ended is there again a second later. */
const REFUSE_LISTENERS = `
  create function refuse_listeners() returns event_trigger language plpgsql as $$ begin
    if current_setting('application_name') = 'usher-listener' then raise 'no listeners in this test'; end if;
  end $$;
  create event trigger refuse_listeners on login execute function refuse_listeners()`

const start = (env: Record<string, string>) =>
  startUsher('all', { NODE_OPTIONS: PRELOAD, SECRETS_KEY, ...env })

// A worker that is notified does not use the queue of deliveries, so one engine is enough for that.
const ways = [
  { engine: 'postgres', notified: true },
  ...engines.map((engine) => ({ engine, notified: false })),
]

describe.each(ways)(
  'traces, queue on $engine, worker notified of the delivery: $notified',
  ({ engine, notified }) => {
    it('lead from the insert of the receiver through the queues to the Graph API, and hold ids only', async () => {
      const collector = await startGraph()
      const graph = await startGraph()
      const { url: DATABASE_URL, db } = await createTestDatabase()
      const org = await createSendingOrg(db, { auto_reply_text: 'CANARY-reply' })
      for (const customer of CUSTOMERS)
        await createRoom(db, org, { customer: `+${customer}`, expiredAt: ago(1) })
      const app = await start({
        DATABASE_URL,
        ...(engine === 'redis' && { REDIS_URL: `${inject('redisUrl')}/9` }),
        GRAPH_API_URL: graph.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
        OTEL_SERVICE_NAME: 'usher-of-the-test',
        OTEL_BSP_SCHEDULE_DELAY: '100',
      })
      const listeners = `pg_stat_activity where application_name = 'usher-listener' and state = 'idle'
      and datname = current_database()`
      const listening = async () => (await db.$client.query(`select 1 from ${listeners}`)).rowCount
      await expect.poll(listening).toBe(1)
      if (!notified) {
        await db.$client.query(REFUSE_LISTENERS)
        await db.$client.query(`select pg_terminate_backend(pid) from ${listeners}`)
        await expect.poll(listening).toBe(0)
      }
      const exports = () => collector.requests.map((request) => request.body as Export)
      const spans = () =>
        exports()
          .flatMap((e) => e.resourceSpans)
          .flatMap((r) => r.scopeSpans)
          .flatMap((s) => s.spans)
      const ways = () => waysOf('Graph send', spans())
      for (const [i, from] of CUSTOMERS.entries()) {
        const body = post(org.phones[0]!, message({ from, body: 'CANARY-text' }))
        expect(await postDelivery(app.url, body)).toBe(200)
        await expect.poll(() => ways()[i]?.isWhole).toBe(true)
        // A message that the sender finds before its job comes is in no trace.
        if (ways()[i]!.names.length > 1) break
      }
      expect(await app.stop()).toBe(0)

      const way = ways().at(-1)?.names
      const job = notified ? [] : ['process deliveries', 'add deliveries.route']
      expect(way).toEqual(['Graph send', 'process outbound', 'add outbound.wake', ...job, 'store deliveries'])
      const parents = spans()
        .filter(({ name }) => name === 'route deliveries')
        .map(({ parentSpanId }) => spans().find(({ spanId }) => spanId === parentSpanId)?.name)
      expect(parents).toContain(job[0] ?? 'store deliveries')
      expect(new Set(collector.requests.map(({ path }) => path))).toEqual(new Set(['/v1/traces']))
      const exported = JSON.stringify(exports())
      expect(exported).toContain('usher-of-the-test')
      for (const secret of ['CANARY', ...CUSTOMERS, APP_SECRET, ACCESS_TOKEN])
        expect(exported).not.toContain(secret)
      const chores = spans().filter((span) => span.parentSpanId === undefined && span.kind === 1)
      const untraced = ways().filter(({ names }) => names.length === 1)
      expect(chores.map(({ name }) => name).filter((name) => name !== 'store deliveries')).toEqual(
        untraced.map(() => 'Graph send'),
      )
      expect(app.output()).toMatch(/modules of OpenTelemetry: [1-9]/)
    })
  },
)

it('what an endpoint gets is a part of the trace of what happened, and carries it on', async () => {
  const collector = await startGraph()
  const { url: DATABASE_URL, db } = await createTestDatabase()
  const org = await createOrg(db, { unknown_sender: 'create' })
  const receiver = await startWebhookReceiver()
  await subscribe(db, org, receiver)
  const app = await start({
    DATABASE_URL,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  })
  const traces = () => receiver.taken().flatMap(({ headers }) => headers.traceparent ?? [])
  // An event that a worker finds before the job comes is in no trace.
  await eventually(async () => {
    expect(await postDelivery(app.url, post(org.phones[0]!, message({ body: 'CANARY-text' })))).toBe(200)
    return traces().length > 0
  })
  expect(await app.stop()).toBe(0)
  const spans = collector.requests
    .flatMap(({ body }) => (body as Export).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
  const [, traceId, spanId] = String(traces()[0]).split('-')
  const way: string[] = []
  for (let id: string | undefined = spanId; id; ) {
    const span = spans.find((one) => one.spanId === id && one.traceId === traceId)
    way.push(span?.name ?? 'a span that was not exported')
    id = span?.parentSpanId
  }
  expect(way.slice(0, 3)).toEqual(['post event', 'process webhooks', 'add webhooks.wake'])
  expect(way.at(-1)).toBe('store deliveries')
  expect(JSON.stringify(spans)).not.toMatch(/CANARY|15550001111|whsec_/)
})

it('a collector that is away causes one line in the log and nothing else', async () => {
  const { url: DATABASE_URL } = await createTestDatabase()
  const collector = await startGraph()
  collector.stop()
  const app = await start({
    DATABASE_URL,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  })
  await app.printed(/traces are not exported/)
  expect(await app.stop()).toBe(0)
})

it('without an endpoint no module of OpenTelemetry is loaded', async () => {
  const { url: DATABASE_URL } = await createTestDatabase()
  const app = await start({ DATABASE_URL })
  expect(await app.stop()).toBe(0)
  expect(app.output()).toContain('modules of OpenTelemetry: 0\n')
})
