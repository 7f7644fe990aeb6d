import type pg from 'pg'

/**
 * Deadlocks that PostgreSQL has resolved in this database. Each connection reports its own when it ends, or when it is made
 * to: those of the pool are.
 */
export async function countDeadlocks(pool: pg.Pool): Promise<number> {
  const all = Array.from({ length: pool.options.max ?? 10 })
  await Promise.all(all.map(() => pool.query('select pg_stat_force_next_flush(), pg_sleep(0.2)')))
  const { rows } = await pool.query(
    'select deadlocks::int as n from pg_stat_database where datname = current_database()',
  )
  return rows[0].n
}
