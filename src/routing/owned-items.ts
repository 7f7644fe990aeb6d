import type { Outcome } from '../inbox/end-deliveries.ts'
import type { AccountEvent, Extraction } from '../webhook/items.ts'
import type { OrgAccountEvent } from './account-events.ts'
import type { Owner, Owners } from './owners.ts'
import type { OrgStatus } from './statuses.ts'

/** The end of a delivery: dead when a part is unreadable, else parked when a number or WABA is unknown, else routed. */
export function outcomeOf(extraction: Extraction, owners: Owners): Outcome {
  const { deliveryId: id, problems, messages, statuses, preferences, calls, accountEvents } = extraction
  if (problems.length > 0) return { id, end: 'dead', problems }
  const items = [...messages, ...statuses, ...preferences, ...calls]
  const unknown = items.find((item) => !owners.phones.has(item.phoneId))
  if (unknown) return { id, end: 'parked', waitsFor: `phone:${unknown.phoneId}` }
  const event = accountEvents.find((accountEvent) => !ownerOfEvent(accountEvent, owners))
  if (event) return { id, end: 'parked', waitsFor: `waba:${event.wabaId}` }
  return { id, end: 'routed' }
}

/** The statuses of known numbers, with their org. */
export function statusesOf(extractions: Extraction[], { phones }: Owners): OrgStatus[] {
  return withOrg(
    extractions.flatMap((extraction) => extraction.statuses),
    ({ phoneId }) => phones.get(phoneId),
  )
}

/** The account events of known WABAs and numbers, with their org. */
export function accountEventsOf(extractions: Extraction[], owners: Owners): OrgAccountEvent[] {
  return withOrg(
    extractions.flatMap((extraction) => extraction.accountEvents),
    (event) => ownerOfEvent(event, owners),
  )
}

/** The org of an account event is that of its WABA, else that of the number it names. */
function ownerOfEvent(event: AccountEvent, { wabas, phones }: Owners): Owner | undefined {
  return wabas.get(event.wabaId) ?? (event.phoneId ? phones.get(event.phoneId) : undefined)
}

function withOrg<T>(items: T[], ownerOf: (item: T) => Owner | undefined): (T & { orgId: string })[] {
  return items.flatMap((item) => {
    const owner = ownerOf(item)
    return owner ? [{ ...item, orgId: owner.orgId }] : []
  })
}
