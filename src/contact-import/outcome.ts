import type { ApiError } from '../errors.ts'
import type { Candidate, Rejected } from './candidate.ts'
import type { StoredContact } from './read-contacts.ts'
import type { ComparedField, ImportResult } from './schemas.ts'

/** What became of a line. */
export type Outcome =
  | { status: 'created'; candidate: Candidate; contactId: string }
  | { status: 'exists'; candidate: Candidate; contactId: string; differs: ComparedField[] }
  | { status: 'rejected'; line: number; crmId: string | undefined; error: ApiError }

/** The outcome of a line that nothing became of. */
export function rejected({ line, crmId, error }: Rejected): Outcome {
  return { status: 'rejected', line, crmId, error }
}

/** The outcome of a line that was refused when its contact was looked at. */
export function refused({ line, contact }: Candidate, error: ApiError): Outcome {
  return { status: 'rejected', line, crmId: contact.crm_id, error }
}

/** The outcome of a line whose `crm_id` a contact has; nothing of that contact changes. */
export function existing(candidate: Candidate, stored: StoredContact): Outcome {
  return { status: 'exists', candidate, contactId: stored.id, differs: differences(candidate, stored) }
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
  const { status, candidate, contactId: contact_id } = outcome
  const { line, contact } = candidate
  const differs = outcome.status === 'exists' ? { differs: outcome.differs } : {}
  return { line, status, crm_id: contact.crm_id, contact_id, ...differs }
}
