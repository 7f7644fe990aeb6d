import { count } from '../ui/format.ts'
import { Moment } from '../ui/parts.tsx'
import { Card } from './card.tsx'
import type { RefusedWebhooks } from './refused-webhooks.ts'

const WORDS = {
  signature: ['wrong signature', 'compare META_APP_SECRET with the App Dashboard'],
  handshake: ['wrong verify token', 'compare META_VERIFY_TOKEN with the App Dashboard'],
} as const

/** The webhook requests of late that proved no secret; nothing where there are none. */
export function RefusedCard({ refusals }: { refusals: RefusedWebhooks[] }) {
  if (refusals.length === 0) return null
  const sum = refusals.reduce((all, { refused }) => all + refused, 0)
  return (
    <Card name="Refused webhooks" value={count(sum)} wide alarm>
      {refusals.map(({ reason, refused, since, lastAt }) => (
        <span class="line">
          {WORDS[reason][0]}: {count(refused)} since <Moment at={since} clock />, the last{' '}
          <Moment at={lastAt} clock />; {WORDS[reason][1]}
        </span>
      ))}
    </Card>
  )
}
