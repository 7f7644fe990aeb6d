import pg from 'pg'
import type { Db } from './client.ts'
import { isConcurrencyFailure } from './pg-errors.ts'
import { inTransaction } from './transaction.ts'

const TRIES = 5

/**
 * As `inTransaction`, but when a concurrent transaction made this one fail, it is run again from the start: a customer
 * was merged between its look-up and its lock, a deadlock, a serialization failure. `work` must therefore have no
 * effect outside of the transaction. Inside a running transaction the failure is passed on, because only the outermost
 * transaction can be repeated.
 * @throws what `work` throws; a failure by concurrency only after 5 tries
 */
export async function inRetriedTransaction<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  const tries = db.$client instanceof pg.Pool ? TRIES : 1
  for (let tried = 1; ; tried += 1) {
    try {
      return await inTransaction(db, work)
    } catch (error) {
      if (tried === tries || !isConcurrencyFailure(error)) throw error
    }
  }
}
