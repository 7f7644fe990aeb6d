import { Nothing } from '../ui/empty.tsx'
import { count } from '../ui/format.ts'
import { Moment, Table } from '../ui/parts.tsx'
import type { CustomerDetails } from './read-details.ts'

const SHOWN = 25

/** The contacts that point to the customer, as a table: the first 25. */
export function Contacts({ contacts }: Pick<CustomerDetails, 'contacts'>) {
  return (
    <section aria-labelledby="contacts">
      <h2 id="contacts">Contacts</h2>
      {contacts.length === 0 && <Nothing>No contact points to this customer.</Nothing>}
      {contacts.length > 0 && (
        <Table label="Contacts" head={['crm_id', 'Name', 'Phone', 'Stage', 'Created', 'Expired']}>
          {contacts.slice(0, SHOWN).map((contact) => (
            <tr>
              <th scope="row">{contact.crmId}</th>
              <td>{[contact.firstName, contact.lastName].filter(Boolean).join(' ')}</td>
              <td>{contact.phone ?? ''}</td>
              <td>{contact.stage ?? ''}</td>
              <td>
                <Moment at={contact.createdAt} />
              </td>
              <td>{contact.expiredAt && <Moment at={contact.expiredAt} />}</td>
            </tr>
          ))}
        </Table>
      )}
      {contacts.length > SHOWN && (
        <p class="dim">
          These are the first {SHOWN} of {count(contacts.length)} contacts.
        </p>
      )}
    </section>
  )
}
