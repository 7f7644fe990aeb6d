import { ApiError } from '../errors.ts'
import { partsToE164 } from '../identity/e164.ts'
import type { ImportContact } from './schemas.ts'

/** A contact that a line asks for. `phone`: in E.164 form. */
export type Candidate = { line: number; contact: ImportContact; phone: string }

/** A line that nothing becomes of. */
export type Rejected = { line: number; crmId: string | undefined; error: ApiError }

/** What a line asks for, or why it asks for nothing that there can be. */
export function toCandidate(line: number, contact: ImportContact): Candidate | Rejected {
  const read = partsToE164(contact.phone_number)
  if ('phone' in read) return { line, contact, phone: read.phone }
  return { line, crmId: contact.crm_id, error: new ApiError('INVALID_PHONE_NUMBER', read.fault) }
}
