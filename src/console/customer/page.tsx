import { query } from '../ui/format.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { Badge, Moment, Nothing, OrgPicker, Table } from '../ui/parts.tsx'
import type { CustomerFile } from './read-file.ts'
import type { Match } from './search.ts'
import { CustomerTimeline, RoomName } from './timeline-view.tsx'

export type CustomerQuestion = {
  orgs: OrgName[]
  orgId: string | undefined
  words: string
  withText: boolean
}

const PATH = '/console/customer'

/** The search, and what it found: nobody, several, or the one customer. */
export function renderCustomer(
  shell: Shell,
  question: CustomerQuestion,
  found: { matches: Match[]; file: CustomerFile | undefined },
): string {
  const { words } = question
  return renderPage({
    shell,
    title: 'Customer',
    here: PATH,
    children: (
      <>
        <h1>Customer</h1>
        <Search {...question} />
        {words !== '' && found.matches.length === 0 && (
          <Nothing>
            Nobody is known by “{words}”. Try the phone with its country code, the wa_id, the business-scoped
            id, a crm_id, or the id of a message.
          </Nothing>
        )}
        {found.matches.length > 1 && !found.file && <Choice matches={found.matches} words={words} />}
        {found.file && <File file={found.file} question={question} />}
      </>
    ),
  })
}

function Search({ orgs, orgId, words }: CustomerQuestion) {
  return (
    <form class="bar search" method="get" action={PATH}>
      <label class="field grow">
        <span>Phone in any spelling, wa_id, BSUID, crm_id or message id</span>
        <input type="search" name="q" value={words} autocomplete="off" spellcheck={false} required />
      </label>
      <OrgPicker orgs={orgs} orgId={orgId} />
      <button type="submit">Search</button>
    </form>
  )
}

function Choice({ matches, words }: { matches: Match[]; words: string }) {
  return (
    <section aria-label="Customers found">
      <h2>{matches.length} customers fit</h2>
      <ul class="choice">
        {matches.map(({ orgId, customerId, as }) => (
          <li>
            <a href={`${PATH}${query({ org: orgId, q: words, id: customerId })}`}>
              {customerId} of {orgId}
            </a>{' '}
            <span class="dim">by {as === 'name' ? 'phone or id' : as}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function File({ file, question }: { file: CustomerFile; question: CustomerQuestion }) {
  const { customer, contacts, aliases } = file
  const [contact] = contacts
  const named = [contact?.firstName, contact?.lastName].filter(Boolean).join(' ')
  return (
    <>
      <section class="person" aria-labelledby="who">
        <h2 id="who">{customer.profileName ?? (named || contact?.crmId) ?? 'A customer without a name'}</h2>
        <p class="dim">
          Customer {customer.id} of {file.orgId}, since <Moment at={customer.createdAt} />
          {customer.optedOutAt && ' · opted out of marketing'}
          {customer.mergedInto && ` · is the same as ${customer.mergedInto}`}
        </p>
        <ul class="aliases" aria-label="Known as">
          {aliases.map(({ kind, value }) => (
            <li>
              <span class="dim">{kind}</span> {value}
            </li>
          ))}
        </ul>
      </section>
      <Forecasts file={file} />
      <Rooms file={file} />
      <CustomerTimeline file={file} question={question} />
      <Contacts file={file} />
    </>
  )
}

function Forecasts({ file }: { file: CustomerFile }) {
  return (
    <section aria-labelledby="forecast">
      <h2 id="forecast">If this customer wrote now</h2>
      {file.forecasts.length === 0 && <Nothing>The org has no number to write to.</Nothing>}
      <div class="forecasts">
        {file.forecasts.map(({ number, explanation: { decision, reason, chatroom_id } }) => (
          <div class="card">
            <h3>to {number}</h3>
            <p>
              <Badge of={decision ?? 'none'} /> {chatroom_id && <RoomName file={file} id={chatroom_id} />}
            </p>
            <p class="note">{reason}</p>
          </div>
        ))}
      </div>
    </section>
  )
}

function Rooms({ file }: { file: CustomerFile }) {
  return (
    <section aria-labelledby="rooms">
      <h2 id="rooms">Chatrooms</h2>
      {file.rooms.length === 0 && <Nothing>None: a message would be held, or get a chatroom made.</Nothing>}
      {file.rooms.length > 0 && (
        <Table
          label="Chatrooms"
          head={['State', 'Contact', 'Number', 'Created', 'Last word', 'Why', 'Users']}
        >
          {file.rooms.map((room) => (
            <tr id={`room-${room.id}`}>
              <td>
                <Badge of={room.state} />
              </td>
              <th scope="row">
                {room.crmId}
                <br />
                <small class="dim">{room.id}</small>
              </th>
              <td>{room.number}</td>
              <td>
                <Moment at={room.createdAt} />
              </td>
              <td>{room.lastInboundAt ? <Moment at={room.lastInboundAt} /> : 'never wrote'}</td>
              <td>
                {room.expiredAt ? 'expired ' : (room.deactivationReason ?? '')}{' '}
                {(room.expiredAt ?? room.deactivatedAt) && (
                  <Moment at={room.expiredAt ?? room.deactivatedAt ?? room.createdAt} />
                )}
              </td>
              <td>{room.userIds.join(', ') || 'nobody'}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  )
}

function Contacts({ file }: { file: CustomerFile }) {
  return (
    <section aria-labelledby="contacts">
      <h2 id="contacts">Contacts</h2>
      {file.contacts.length === 0 && <Nothing>No lead points to this customer.</Nothing>}
      {file.contacts.length > 0 && (
        <Table label="Contacts" head={['crm_id', 'Name', 'Phone', 'Stage', 'Created', 'Expired']}>
          {file.contacts.map((contact) => (
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
    </section>
  )
}
