import type { DeadLetter } from '../../inbox/dead-letters.ts'
import { count } from '../ui/format.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'
import { maskBody, plainBody } from '../ui/mask.ts'
import { Moment } from '../ui/parts.tsx'
import { ReplayButton, STUCK } from './replay-buttons.tsx'

/** One dead letter with its payload; values are masked unless `withText` is set. */
export function renderLetter(shell: Shell, letter: DeadLetter & { body: string }, withText: boolean): string {
  const { id, error, bytes, requeues, received_at } = letter
  const body = Buffer.from(letter.body, 'base64')
  const shown = withText ? plainBody(body) : maskBody(body)
  return renderPage({
    shell,
    title: `Dead letter ${id}`,
    here: STUCK,
    children: (
      <>
        <p>
          <a href={`${STUCK}#dead`}>All dead letters</a>
        </p>
        <h1>Dead letter {id}</h1>
        <p class="why-dead">{error}</p>
        <p class="dim">
          Received <Moment at={new Date(received_at)} /> · {count(bytes)} bytes · requeued {requeues} times
        </p>
        <div class="head">
          <h2 id="payload">Payload</h2>
          <a
            class="button"
            href={`${STUCK}/${id}${withText ? '' : '?text=show'}`}
            title="The log records who has text shown"
          >
            {withText ? 'Hide text' : 'Show text'}
          </a>
          {!shell.readOnly && <ReplayButton id={id} />}
        </div>
        <section class="sheet" aria-labelledby="payload">
          <pre>
            {shown ??
              `The payload is not JSON (${count(bytes)} bytes), so no part of it can be shown without its text.`}
          </pre>
        </section>
      </>
    ),
  })
}
