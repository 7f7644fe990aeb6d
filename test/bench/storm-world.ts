import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type RunningProcess, spawnProcess } from '../support/running-process.ts'

/** An installation of a checkout (`root`, built) in a database of its own, with orgs that may send. */
export type World = {
  client: pg.Client
  /** Starts processes of that checkout; resolves when it is up. */
  start(role: 'all' | 'server' | 'workers'): Promise<RunningProcess & { url: string }>
  stop(): Promise<void>
}

export const JWT_SECRET = 'a secret of the benchmark with 32 bytes or more'

type Options = {
  root: string
  serverUrl: string
  name: string
  graphUrl: string
  redisUrl: string | undefined
}

/** Makes the database `name`, migrates it, and provisions each org with one number, `<org>-phone`. */
export async function openWorld(
  { root, serverUrl, name, graphUrl, redisUrl }: Options,
  orgs: string[],
): Promise<World> {
  await withClient(serverUrl, (client) => client.query(`create database ${name}`))
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  const env = {
    ...{
      DATABASE_URL: url,
      GRAPH_API_URL: graphUrl,
      JWT_SECRET,
      SECRETS_KEY: randomBytes(32).toString('base64'),
    },
    ...{ META_APP_SECRET: 'secret', META_VERIFY_TOKEN: 'word', NODE_ENV: 'production' },
    ...{
      HOST: '127.0.0.1',
      PORT: '0',
      OPS_PORT: '0',
      PROCESSES: '1',
      ...(redisUrl && { REDIS_URL: redisUrl }),
    },
  }
  await runCommand(root, ['migrate'], env)
  await provision(root, env, orgs)
  const client = new pg.Client(url)
  await client.connect()
  const running = new Set<RunningProcess>()
  return {
    client,
    async start(role) {
      const one = spawnProcess('workers/main.js', [role], env, { root, keep: 20_000 })
      running.add(one)
      const [line] = await one.printed(/^\{.*"msg":"Usher is up".*$/m)
      return { ...one, url: JSON.parse(line).url }
    },
    async stop() {
      await Promise.all([...running].map((one) => one.stop()))
      await client.end()
    },
  }
}

async function runCommand(root: string, args: string[], env: Record<string, string>): Promise<void> {
  const one = spawnProcess('src/cli/main.js', args, env, { root })
  if ((await one.exited()) !== 0) throw new Error(`${args[0]} failed: ${one.output()}`)
}

async function provision(root: string, env: Record<string, string>, orgs: string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-storm-'))
  const file = join(folder, 'orgs.json')
  const ofOrg = (id: string, i: number) => {
    const phones = [{ id: `${id}-phone`, display_phone_number: `+91 98100 0000${i}` }]
    return { id, name: id, wabas: [{ id: `${id}-waba`, name: id, access_token: 'EAA', phones }] }
  }
  await writeFile(file, JSON.stringify({ orgs: orgs.map(ofOrg) }))
  await runCommand(root, ['provision', file], env)
  await rm(folder, { recursive: true })
}

const id = (kind: number) => `('01930000-000${kind}-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`

/** Customers of the org, who have just written, each with an active chatroom. Any version of Usher has these columns. */
export async function loadPairs({ client }: World, org: string, from: number, count: number): Promise<void> {
  const each = `from generate_series(${from}, ${from + count - 1}) n`
  const wa = `(15550000000 + n)::text`
  for (const text of [
    `insert into customers (org_id, id) select '${org}', ${id(1)} ${each}`,
    `insert into customer_aliases (org_id, kind, value, customer_id) select '${org}', 'wa_id', ${wa}, ${id(1)} ${each}`,
    `insert into contacts (org_id, id, customer_id, crm_id, phone)
      select '${org}', ${id(2)}, ${id(1)}, 'crm-' || n, '+' || ${wa} ${each}`,
    `insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, last_inbound_at)
      select '${org}', ${id(3)}, ${id(2)}, ${id(1)}, '${org}-phone', 'Customer', now() ${each}`,
    'analyze',
  ])
    await client.query(text)
}

/** The chatroom of customer `n`, as `loadPairs` made it. */
export const roomOf = (n: number) => `01930000-0003-7000-8000-${n.toString(16).padStart(12, '0')}`

/** Auto-replies that wait for each customer of the org, in outbox and ledger. */
export async function queueReplies({ client }: World, org: string, each: number): Promise<void> {
  await client.query(
    `with queued as (
      insert into outbox (org_id, id, kind, chatroom_id, customer_id, waba_phone_id, in_reply_to, payload)
      select r.org_id, gen_random_uuid(), 'auto_reply', r.id, r.customer_id, r.waba_phone_id, r.id || ' ' || i,
        json_build_object('type', 'text', 'text', json_build_object('body', 'closed'))
      from chatrooms r, generate_series(1, $2) i where r.org_id = $1 order by i returning *)
    insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at, seq,
      reason, payload, outbox_id)
    select org_id, 'outbox:' || id, waba_phone_id, customer_id, chatroom_id, 'out', 'text', now(), now(), 1, 'storm',
      payload, id from queued`,
    [org, each],
  )
  await client.query('analyze')
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
