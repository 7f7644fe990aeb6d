import pg from 'pg'
import type { Db } from '../../src/db/client.ts'

export type Statement = { name: string; text: string; values: unknown[] }

/** Records the statements that go through a pool and its clients, until `stop`. */
export function recordStatements(pool: pg.Pool): { statements: Statement[]; stop(): void } {
  const statements: Statement[] = []
  const original = pool.connect.bind(pool)
  const watch = (client: pg.PoolClient) => {
    const query = client.query.bind(client)
    const recorded = (...args: unknown[]) => {
      const [first, second] = args as [Statement | string, unknown[] | undefined]
      const { text, name = '', values = second ?? [] } = typeof first === 'string' ? { text: first } : first
      statements.push({ name, text, values: values as unknown[] })
      return (query as (...a: unknown[]) => unknown)(...args)
    }
    client.query = recorded as typeof client.query
    const release = client.release.bind(client)
    client.release = (error) => {
      client.query = query
      client.release = release
      release(error)
    }
    return client
  }
  pool.connect = (async () => watch(await original())) as typeof pool.connect
  const stop = () => {
    pool.connect = original
  }
  return { statements, stop }
}

/** Every statement that any connection of this process sends while `work` runs. */
export async function recordEverything(work: () => Promise<void>): Promise<Statement[]> {
  const statements = new Map<string, Statement>()
  const query = pg.Client.prototype.query
  pg.Client.prototype.query = function (this: pg.Client, ...args: [Statement | string, unknown]) {
    const [first, second] = args
    const {
      text,
      name = '',
      values = Array.isArray(second) ? second : [],
    } = typeof first === 'string' ? { text: first } : first
    if (/^\s*(select|with|insert|update|delete)/i.test(text)) statements.set(text, { name, text, values })
    return (query as (...a: unknown[]) => unknown).apply(this, args)
  } as typeof query
  try {
    await work()
  } finally {
    pg.Client.prototype.query = query
  }
  return [...statements.values()]
}

type Plan = { 'Node Type': string; 'Relation Name'?: string; Plans?: Plan[] }

/** A partition of the ledger counts as the ledger. */
const tableOf = (relation: string) => relation.replace(/^messages_(\d{6}|default)$/, 'messages')

/** The nodes of a statement's plan, as `Seq Scan on messages`. */
export async function planNodes(db: Db, { text, values }: Statement): Promise<string[]> {
  const { rows } = await db.$client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
    `explain (format json) ${text}`,
    values,
  )
  const nodes: string[] = []
  const walk = (plan: Plan) => {
    nodes.push(`${plan['Node Type']} on ${tableOf(plan['Relation Name'] ?? '-')}`)
    for (const child of plan.Plans ?? []) walk(child)
  }
  walk(rows[0]!['QUERY PLAN'][0]!.Plan)
  return nodes
}
