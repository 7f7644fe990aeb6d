import type { Db } from '../db/client.ts'
import { sqlState } from '../db/pg-errors.ts'
import { nothing, type Statement, send } from '../db/statement.ts'
import { ProvisionError } from './provision-error.ts'

/**
 * Waits for all transactions that have looked up a number, and lets no other one look up a number until this one ends:
 * routing and the API read the table first. So no transaction writes rows of a number that is gone meanwhile.
 * @throws ProvisionError DATABASE_IS_BUSY after 3 s
 */
export async function pauseRouting(tx: Db): Promise<void> {
  const statement = (text: string): Statement<void> => ({ text, values: [], read: nothing })
  try {
    await send(tx, [
      statement(`set local lock_timeout to '3s'`),
      statement('lock table meta_objects in access exclusive mode'),
      statement('set local lock_timeout to default'),
    ])
  } catch (error) {
    if (sqlState(error) !== '55P03') throw error
    throw new ProvisionError(
      'DATABASE_IS_BUSY',
      'another transaction uses the table of numbers, a dump for example: try again later',
    )
  }
}
