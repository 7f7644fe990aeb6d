import { phoneDigits } from '../rules/phone-digits.ts'
import { asId, optionalIdentifier, Problem } from './fields.ts'

/** Meta's names of one person; absent names are undefined. A phone is digits only in `waId`. */
export type Names = { waId: string | undefined; userId: string | undefined; parentUserId: string | undefined }

/** Values that may hold a name, the preferred one first. */
export type GivenNames = { phones: unknown[]; userIds: unknown[]; parents: unknown[] }

const SENDER_ID = 'sender id'
const BSUID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/

/** The first name of each kind. A BSUID where the phone belongs is taken for a BSUID: some gateways put it there. */
export function namesOf({ phones, userIds, parents }: GivenNames): Names {
  const inPhones = phones.map(asId).filter((id) => id !== undefined)
  const waId = inPhones.find((id) => !BSUID.test(id))
  return {
    waId: optionalIdentifier(waId && (phoneDigits(waId) ?? waId), SENDER_ID),
    userId: optionalIdentifier(
      [...userIds.map(asId), ...inPhones.filter((id) => BSUID.test(id))].find(Boolean),
      SENDER_ID,
    ),
    parentUserId: optionalIdentifier(parents.map(asId).find(Boolean), SENDER_ID),
  }
}

/** True when Meta gave no name at all. */
export function isNobody(names: Names): boolean {
  return !names.waId && !names.userId && !names.parentUserId
}

/**
 * The names, of which there must be one.
 * @throws Problem when there is none
 */
export function someone(names: Names): Names {
  if (isNobody(names)) throw new Problem('names no sender')
  return names
}
