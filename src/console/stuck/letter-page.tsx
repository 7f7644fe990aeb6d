import type { KeptDelivery } from '../../inbox/read-kept.ts'
import { cutToBytes } from '../ui/cut.ts'
import { count } from '../ui/format.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'
import { maskBody, plainBody } from '../ui/mask.ts'
import { Moment } from '../ui/parts.tsx'
import { Contents } from './contents-view.tsx'
import { ReplayButton } from './replay-buttons.tsx'
import { LISTS, listPath, STUCK } from './stuck-query.ts'

/** A page stays below 100 kB, and a delivery may have megabytes. */
const PAYLOAD_BYTES = 60_000

/** One dead letter or parked delivery: what it holds, and its payload; values are masked unless `withText` is set. */
export function renderKept(shell: Shell, delivery: KeptDelivery, withText: boolean): string {
  const { id, state, error, waitsFor, requeues, receivedAt, body } = delivery
  const title = `${state === 'dead' ? 'Dead letter' : 'Parked delivery'} ${id}`
  return renderPage({
    shell,
    title,
    here: STUCK,
    children: (
      <>
        <p>
          <a href={listPath(state)}>{LISTS[state]}</a>
        </p>
        <h1>{title}</h1>
        <p class="why-dead">{error ?? `waits for ${waitsFor}, which is not provisioned`}</p>
        <p class="dim">
          Received <Moment at={receivedAt} /> · {count(body.length)} bytes · requeued {requeues} times
        </p>
        {state === 'dead' && !shell.readOnly && <ReplayButton id={id} />}
        <Contents delivery={delivery} />
        <div class="head">
          <h2 id="payload">Payload</h2>
          <a
            class="button"
            href={`${STUCK}/${id}${withText ? '' : '?text=show'}`}
            title="The log records who has text shown"
          >
            {withText ? 'Hide text' : 'Show text'}
          </a>
        </div>
        <Payload body={body} withText={withText} />
      </>
    ),
  })
}

function Payload({ body, withText }: { body: Buffer; withText: boolean }) {
  const text = withText ? plainBody(body) : maskBody(body)
  const shown = text && cutToBytes(text, PAYLOAD_BYTES)
  return (
    <section class="sheet" aria-labelledby="payload">
      <pre>
        {shown ??
          `The payload is not JSON (${count(body.length)} bytes), so no part of it can be shown without its text.`}
      </pre>
      {shown !== text && (
        <p class="dim">
          This is the beginning. <code>GET /dead-letters/ID</code> answers all bytes of a dead letter.
        </p>
      )}
    </section>
  )
}
