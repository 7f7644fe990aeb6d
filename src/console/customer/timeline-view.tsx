import { Nothing } from '../ui/empty.tsx'
import { RetryForm } from '../ui/retry-form.tsx'
import { type CustomerQuery, customerPathOf } from './customer-query.ts'
import type { CustomerDetails } from './read-details.ts'
import type { TimelineMessage } from './timeline.ts'
import { EventEntry, MessageEntry } from './timeline-entries.tsx'
import { TimelineFilter } from './timeline-filter.tsx'

type Props = { details: CustomerDetails; query: CustomerQuery; readOnly: boolean }

/** Messages and changes of state in one list, the newest first, in pages. */
export function Timeline({ details, query, readOnly }: Props) {
  const { entries, next } = details.timeline
  const { rooms } = details.roomPage
  return (
    <section aria-labelledby="timeline">
      <div class="head">
        <h2 id="timeline">Timeline</h2>
        <TextSwitch details={details} query={query} />
        <TimelineFilter details={details} query={query} />
      </div>
      {entries.length === 0 && <Nothing>No message and no change of state to show.</Nothing>}
      <ol class="timeline">
        {entries.map((entry) =>
          'event' in entry ? (
            <EventEntry event={entry.event} rooms={rooms} />
          ) : (
            <MessageEntry message={entry.message} rooms={rooms} withText={query.withText}>
              {!readOnly && <RetryButton details={details} message={entry.message} />}
            </MessageEntry>
          ),
        )}
      </ol>
      {next && (
        <p>
          <a href={`${customerPathOf(details, { ...query, before: next })}#timeline`}>Older entries</a>
        </p>
      )}
    </section>
  )
}

function RetryButton({ details, message }: { details: CustomerDetails; message: TimelineMessage }) {
  const { status, id, chatroomId, isRetried } = message
  if ((status !== 'failed' && status !== 'unknown') || !id || !chatroomId || isRetried) return null
  const { orgId, customer } = details
  return <RetryForm send={{ orgId, chatroomId, id, status }} customerId={customer.id} />
}

/** Message text is hidden by default. The log records who has it shown. */
function TextSwitch({ details, query }: Omit<Props, 'readOnly'>) {
  return (
    <a
      class="button"
      href={`${customerPathOf(details, { ...query, withText: !query.withText })}#timeline`}
      title="The log records who has text shown"
    >
      {query.withText ? 'Hide text' : 'Show text'}
    </a>
  )
}
