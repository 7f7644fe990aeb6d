import { z } from 'zod'
import { type Check, fail, fine, warn } from './check.ts'
import type { GraphGet } from './graph-get.ts'

const answer = z.object({
  status: z.string().default('unknown'),
  quality_rating: z.string().default('UNKNOWN'),
})

/** Asks Meta for the state and quality of a number. `stopped` is the reason why it may not send, if it is stopped. */
export async function checkNumber(
  graph: GraphGet,
  { id, stopped }: { id: string; stopped: string | null },
  token: string,
): Promise<Check> {
  const name = `Number ${id}`
  const reply = await graph(`${encodeURIComponent(id)}?fields=status,quality_rating`, token)
  const parsed = reply.ok ? answer.safeParse(reply.body) : undefined
  if (!parsed?.success)
    return fail(
      name,
      reply.ok ? 'Meta gave an answer that Usher cannot read' : reply.error,
      'check its id (phone_number_id) in the org file, and whether the token covers its WABA',
    )
  const { status, quality_rating: quality } = parsed.data
  const found = `${status}, quality ${quality}`
  if (stopped !== null)
    return fail(name, `is stopped: ${stopped}`, 'provision its WABA with a token that works')
  if (status !== 'CONNECTED') return fail(name, found, 'register the number, or see why Meta restricts it')
  return quality === 'RED' || quality === 'YELLOW'
    ? warn(name, found, 'fewer unwanted messages: Meta lowers the limits of such numbers')
    : fine(name, found)
}
