import pg from 'pg'
import { onTestFinished } from 'vitest'

type Query = { name?: string; text: string; values?: unknown[] }

/**
 * Makes PostgreSQL refuse a named statement for good (22P02) whenever one of its parameters contains `text`, until the test
 * ends; gives how often it did. The refusal is a real one: it aborts the transaction.
 */
export function refuseStatement(name: string, text: string): () => number {
  const { query } = pg.Client.prototype
  let times = 0
  const isMeant = (given: unknown): given is Query =>
    (given as Query | null)?.name === name && Boolean((given as Query).values?.some((v) => contains(v, text)))
  pg.Client.prototype.query = function (this: pg.Client, given: unknown, ...more: unknown[]) {
    const refused = isMeant(given)
    if (refused) times += 1
    return (query as (...a: unknown[]) => unknown).call(this, refused ? REFUSED : given, ...more)
  } as typeof query
  onTestFinished(() => {
    pg.Client.prototype.query = query
  })
  return () => times
}

const REFUSED: Query = { text: `select 'x'::int` }

/** Arrays are parameters in binary form. */
function contains(value: unknown, text: string): boolean {
  return Buffer.isBuffer(value) ? value.includes(text) : String(value).includes(text)
}
