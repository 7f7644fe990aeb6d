import { digestOf } from './content.ts'
import { readBacklog } from './drain.ts'
import type { Lab } from './lab.ts'
import type { Report } from './report.ts'

/** I9, I10, I11: nothing is stuck; what is dead is what could not be read, with its reason; forgeries got 401. */
export async function checkRest(lab: Lab, report: Report): Promise<void> {
  const { db, meta } = lab
  const { inbox, outbox, jobs } = await readBacklog(lab)
  if (inbox > 0) report.add('nothing is stuck in the inbox (I10)', `${inbox} deliveries`)
  if (outbox > 0) report.add('nothing is stuck in the outbox (I10)', `${outbox} sends`)
  if (jobs !== 0) report.add('queues are empty in the end (I10)', jobs < 0 ? 'nobody tells' : `${jobs} jobs`)
  const { rows } = await db.$client.query<{ body: Buffer; error: string | null }>(
    `select body, error from inbox where state = 'dead'`,
  )
  const dead = new Set(rows.map(({ body }) => digestOf(body)))
  for (const { body, error } of rows) {
    if (!error) report.add('a dead letter tells why (I9)', digestOf(body))
    if (!meta.log.poisoned.has(digestOf(body)))
      report.add('only what cannot be read is a dead letter (I9)', `${error}`)
  }
  for (const [digest, acked] of meta.log.poisoned)
    if (acked && !dead.has(digest)) report.add('what cannot be read is kept as a dead letter (I9)', digest)
  for (const forged of meta.log.forgedLetIn) report.add('a forged delivery is refused (I11)', forged)
}

/** I13: no secret, message text or phone in any log. I14: no process ended unasked. */
export function checkLogs({ receivers, workers }: Lab, report: Report): void {
  for (const child of [...receivers, ...workers]) {
    const { leaks, unasked } = child.figures()
    for (const line of leaks)
      report.add('no secret and no message text in a log (I13)', `${child.name}: ${line}`)
    for (const end of unasked) report.add('no process ends by itself (I14)', `${child.name}: ${end}`)
  }
}
