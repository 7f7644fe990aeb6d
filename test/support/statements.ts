import pg from 'pg'
import { expect } from 'vitest'
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

type Plan = {
  'Node Type': string
  'Relation Name'?: string
  Operation?: string
  'Index Cond'?: string
  Filter?: string
  Plans?: Plan[]
}

/** A partition of the ledger counts as the ledger. */
const tableOf = (relation: string) => relation.replace(/^messages_(\d{6}|default)$/, 'messages')

/**
 * The nodes of a statement's plan, as `Seq Scan on messages`.
 * @throws AssertionError when the statement chooses partitions while it locks rows (docs/ledger.md#statements-that-lock-rows)
 */
export async function planNodes(db: Db, statement: Statement): Promise<string[]> {
  expect(await choicesBesideLocks(db, statement), statement.name).toEqual([])
  return nodesOf(await readPlan(db, 'format json', statement)).map(
    (node) => `${node['Node Type']} on ${tableOf(node['Relation Name'] ?? '-')}`,
  )
}

/**
 * The conditions by which a statement that locks rows chooses partitions while it runs: PostgreSQL 18.4 crashes, or passes
 * over rows, when another transaction has changed one of the rows.
 */
async function choicesBesideLocks(db: Db, { text }: Statement): Promise<string[]> {
  const nodes = nodesOf(await readPlan(db, 'format json, generic_plan', { text, values: [] }))
  const locks = nodes.some(
    (node) => node['Node Type'] === 'LockRows' || /Update|Delete|Merge/.test(node.Operation ?? ''),
  )
  const conditions = nodes
    .filter((node) => /^(messages|event_log)_/.test(node['Relation Name'] ?? ''))
    .flatMap((node) => [node['Index Cond'], node.Filter])
    .flatMap((all) => (all ?? '').split(' AND '))
  const chosen = conditions.filter((one) => CHOICE.test(one) && /\w\.\w|InitPlan|SubPlan/.test(one))
  return locks ? [...new Set(chosen)] : []
}

/** A comparison with the column by which a table is partitioned, as EXPLAIN writes it. */
const CHOICE = /(^|\()(sent_at|at) [<>=]|[<>=] (sent_at|at)\)/

async function readPlan(
  db: Db,
  options: string,
  { text, values }: Pick<Statement, 'text' | 'values'>,
): Promise<Plan> {
  const { rows } = await db.$client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
    `explain (${options}) ${text}`,
    values,
  )
  return rows[0]!['QUERY PLAN'][0]!.Plan
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}
