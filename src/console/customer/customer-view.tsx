import { Nothing } from '../ui/empty.tsx'
import { Badge, Moment } from '../ui/parts.tsx'
import type { CustomerDetails } from './read-details.ts'
import { RoomName } from './room-name.tsx'

/** The customer's name and aliases. */
export function CustomerHeader({
  details: { customer, contacts, aliases, newIdentity, orgId },
}: {
  details: CustomerDetails
}) {
  const [contact] = contacts
  const contactName = [contact?.firstName, contact?.lastName].filter(Boolean).join(' ')
  return (
    <section class="person" aria-labelledby="who">
      <h2 id="who">{customer.profileName ?? (contactName || contact?.crmId) ?? 'Customer without a name'}</h2>
      <p class="dim">
        Customer {customer.id} of {orgId}, since <Moment at={customer.createdAt} />
        {customer.optedOutAt && ' · opted out of marketing'}
        {customer.mergedInto && ` · merged into ${customer.mergedInto}`}
      </p>
      <ul class="aliases" aria-label="Aliases">
        {aliases.map(({ kind, value, givenUpAt }) => (
          <li>
            <span class="dim">{kind}</span> {value}
            {givenUpAt && (
              <span class="dim">
                {' '}
                until <Moment at={givenUpAt} />
              </span>
            )}
          </li>
        ))}
      </ul>
      <NewIdentity event={newIdentity} />
    </section>
  )
}

/** A mark on a customer whose phone wrote under another BSUID, though WhatsApp announced no change. */
function NewIdentity({ event }: { event: CustomerDetails['newIdentity'] }) {
  if (!event) return null
  return (
    <p>
      <Badge of="new-identity">may be another person</Badge>{' '}
      <span class="note">
        since <Moment at={event.at} />: {event.reason}
      </span>
    </p>
  )
}

/** Where a message of the customer would be routed now, at each number. */
export function Forecasts({ details }: { details: CustomerDetails }) {
  return (
    <section aria-labelledby="forecast">
      <h2 id="forecast">If this customer wrote now</h2>
      {details.forecasts.length === 0 && (
        <Nothing>
          Nothing can be said: the org has no number, or no present phone or id of the customer is known.
        </Nothing>
      )}
      <div class="forecasts">
        {details.forecasts.map(({ number, explanation: { decision, reason, chatroom_id } }) => (
          <div class="card">
            <h3>to {number}</h3>
            <p>
              <Badge of={decision ?? 'none'} />{' '}
              {chatroom_id && <RoomName rooms={details.roomPage.rooms} id={chatroom_id} />}
            </p>
            <p class="note">{reason}</p>
          </div>
        ))}
      </div>
    </section>
  )
}
