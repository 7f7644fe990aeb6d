import { ApiError } from '../errors.ts'
import type { Candidate, Rejected } from './candidate.ts'
import type { Subject } from './lock-subjects.ts'
import type { StoredContact } from './read-contacts.ts'
import type { ComparedField, ImportResult } from './schemas.ts'

/** A contact that there is now. `chatroomId`: of a line that wants a chatroom. */
type Found = { candidate: Candidate; contactId: string; chatroomId: string | undefined }

/** What became of a line. */
export type Outcome =
  | (Found & { status: 'created' })
  | (Found & { status: 'exists'; differs: ComparedField[] })
  | { status: 'rejected'; line: number; crmId: string | undefined; error: ApiError }

/** The outcome of a line that nothing became of. */
export function rejected({ line, crmId, error }: Rejected): Outcome {
  return { status: 'rejected', line, crmId, error }
}

/** The outcome of a line whose contact was looked at. Of a contact that existed, nothing changes. */
export function outcomeOf(
  candidate: Candidate,
  subject: Subject | undefined,
  chatroomId: string | undefined,
  error: ApiError | undefined,
): Outcome {
  const { line, contact } = candidate
  if (!subject || error)
    return rejected({ line, crmId: contact.crm_id, error: error ?? new ApiError('INTERNAL_ERROR') })
  const found = { candidate, contactId: subject.contactId, chatroomId }
  if (!subject.stored) return { ...found, status: 'created' }
  return { ...found, status: 'exists', differs: differences(candidate, subject.stored) }
}

/** The fields that the line gives and that the contact has otherwise. */
function differences({ contact, phone }: Candidate, stored: StoredContact): ComparedField[] {
  const pairs: [ComparedField, given: unknown, has: unknown][] = [
    ['phone_number', phone, stored.phone],
    ['opt_in_date', contact.opt_in_date.getTime(), stored.optInDate?.getTime()],
    ['first_name', contact.first_name, stored.firstName],
    ['last_name', contact.last_name, stored.lastName],
    ['governance_level_id', contact.governance_level_id, stored.governanceLevelId],
    ['is_inbound', contact.is_inbound, stored.isInbound],
    ['source', contact.source, stored.source],
  ]
  return pairs.filter(([, given, has]) => given !== undefined && given !== has).map(([field]) => field)
}

/** An outcome as the answer shows it. */
export function toResult(outcome: Outcome): ImportResult {
  if (outcome.status === 'rejected') {
    const { line, status, crmId: crm_id, error } = outcome
    return { line, status, ...(crm_id !== undefined && { crm_id }), error: error.body }
  }
  const { status, candidate, contactId: contact_id, chatroomId: chatroom_id } = outcome
  const { line, contact } = candidate
  const differs = outcome.status === 'exists' ? { differs: outcome.differs } : {}
  const room = chatroom_id === undefined ? {} : { chatroom_id }
  return { line, status, crm_id: contact.crm_id, contact_id, ...room, ...differs }
}
