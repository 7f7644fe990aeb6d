import { eventually } from '../../patience.ts'
import { callApi } from '../lab/call-api.ts'
import type { Lab } from '../lab/lab.ts'
import { HOLD } from '../lab/orgs.ts'
import type { Scenario } from './scenarios.ts'

const ACCEPTED = 202

/** Somebody writes and is erased; then Meta delivers the message again. */
export const erasedAndRedelivered: Scenario = async (lab, report) => {
  const number = lab.population.numbers.find(({ orgId }) => orgId === HOLD.id)!
  const person = { waId: '15559990077', userId: undefined }
  // Not recorded: in the end there must be no message of this wamid.
  const message = lab.meta.writer.draft(number, person, 0)
  const one = lab.meta.writer.pack(number, [{ message, ghost: false }])
  await lab.meta.post(one)
  await eventually(() => isStored(lab, message.wamid))
  const path = `/customer?phone=%2B${person.waId}`
  const status = await callApi(lab, { orgId: HOLD.id, user: 'ann', method: 'DELETE', path })
  if (status !== ACCEPTED) throw new Error(`the erasure was answered with ${status}`)
  await eventually(async () => !(await isStored(lab, message.wamid)))
  await eventually(
    async () => (await lab.db.$client.query('select from erasures where finished_at is null')).rowCount === 0,
  )
  await lab.meta.post(one)
  await eventually(async () => (await lab.db.$client.query('select from inbox')).rowCount === 0)
  if (await isStored(lab, message.wamid)) report.add('erasedStaysErased', message.wamid)
}

async function isStored({ db }: Lab, wamid: string): Promise<boolean> {
  return (await db.$client.query('select from messages where wamid = $1', [wamid])).rowCount === 1
}
