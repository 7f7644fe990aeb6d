import { monthOf } from '../../ledger.ts'
import { eventually } from '../../patience.ts'
import { HOLD } from '../lab/orgs.ts'
import type { Scenario } from './scenarios.ts'

/** Real content of the first second of this month, and then its ghost, which Meta dates to the second before. */
export const ghostOfTheMonthBefore: Scenario = async ({ db, meta, population }) => {
  const number = population.numbers.find(({ orgId }) => orgId === HOLD.id)!
  const at = monthOf(new Date())
  const message = meta.writer.keep(number, { waId: '15559990001', userId: undefined }, { at })
  await meta.post(meta.writer.pack(number, [{ message, ghost: false }]))
  const isStored = `select from messages where wamid = $1`
  await eventually(async () => (await db.$client.query(isStored, [message.wamid])).rowCount === 1)
  const ghost = { ...message, at: new Date(at.getTime() - 1_000) }
  await meta.post(meta.writer.pack(number, [{ message: ghost, ghost: true }]))
}
