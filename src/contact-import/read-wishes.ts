import {
  type AllowedNumber,
  allowedNumbers,
  type NamedNumber,
  readNumbersOf,
} from '../chatrooms/find-numbers.ts'
import { type Assignee, findAssignee, type Wish } from '../chatrooms/pick-assignee.ts'
import type { Db } from '../db/client.ts'
import type { Org } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { Candidate } from './candidate.ts'

/** Why nothing becomes of lines. */
export type Refusals = Map<Candidate, ApiError>

/** The numbers at which a line lets its chatroom be, in the order in which they are to be tried, and who shall have it. */
export type RoomWish = { numbers: AllowedNumber[]; assignee: Assignee | undefined }

/**
 * What the lines that want a chatroom want, as far as the org alone tells. Lines that want what the org does not have are
 * added to `refusals`. Each different assignee is looked up once.
 */
export async function readWishes(
  tx: Db,
  org: Org,
  candidates: Candidate[],
  refusals: Refusals,
): Promise<Map<Candidate, RoomWish>> {
  const wishes = new Map<Candidate, RoomWish>()
  const wishing = candidates.filter(({ contact }) => contact.chatroom)
  if (wishing.length === 0) return wishes
  const rows = await run(tx, readNumbersOf(org.id))
  const find = rememberAssignees(tx, org)
  for (const candidate of wishing) {
    const wish = await refusing(async () => wishOf(candidate, rows, find))
    if (wish instanceof ApiError) refusals.set(candidate, wish)
    else wishes.set(candidate, wish)
  }
  return wishes
}

async function wishOf(
  { contact: { chatroom } }: Candidate,
  rows: NamedNumber[],
  find: (assign: Wish) => Promise<Assignee>,
): Promise<RoomWish> {
  const { remote_waba_id: wabaId, remote_phone_id: remotePhoneId, assign_details: details } = chatroom ?? {}
  const isNamed = ({ names }: NamedNumber) => remotePhoneId !== undefined && names.includes(remotePhoneId)
  const numbers = allowedNumbers(rows, { wabaId, remotePhoneId }, isNamed)
  return { numbers, assignee: details && (await find(details.assign)) }
}

function rememberAssignees(tx: Db, org: Org): (assign: Wish) => Promise<Assignee> {
  const known = new Map<string, Promise<Assignee>>()
  return (assign) => {
    const key = JSON.stringify(assign)
    const found = known.get(key) ?? findAssignee(tx, org, assign)
    known.set(key, found)
    return found
  }
}

/** The ApiError with which `work` ends, as a value. */
async function refusing<T>(work: () => Promise<T>): Promise<T | ApiError> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}
