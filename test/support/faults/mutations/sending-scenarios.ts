import { accepts, acceptsBut, refuses, replies } from '../../graph-server.ts'
import { eventually } from '../../patience.ts'
import type { Lab } from '../lab/lab.ts'
import type { Scenario } from './scenarios.ts'

/** What a worker sends for a token that it could not decrypt, once the guard against that is gone. */
export const WRONG_TOKEN = 'a-token-of-another-key'

const SENDERS = 16

/** Each customer writes three times while Meta refuses the first replies: their second and third replies wait behind. */
export const firstTriesRefused: Scenario = async ({ meta, graph }) => {
  graph.script.push(...Array.from({ length: SENDERS }, () => refuses(131056)))
  await meta.deliver(3 * SENDERS)
}

/** Meta accepts some replies and says that it is overloaded; their statuses tell the truth before the next try. */
export const acceptedInError: Scenario = async ({ meta, graph }) => {
  const overloaded = replies(500, { error: { code: 131016 } }, { 'retry-after': '12' })
  graph.script.push(...Array.from({ length: 6 }, () => acceptsBut(overloaded)))
  await meta.deliver(SENDERS)
}

/** Nobody listens at the address of the Graph API until replies were tried. */
export const graphUnreachable: Scenario = async (lab) => {
  await lab.proxies.graph.set('refuse')
  await lab.meta.deliver(SENDERS)
  await eventually(async () => (await triedSends(lab)) >= 4)
  await lab.proxies.graph.set('pass')
}

/** One of two workers has another key than the one that encrypted the access tokens. */
export const anotherKey: Scenario = async ({ meta, graph }) => {
  const wrong = refuses(190, 401)
  graph.set((res, request, accept) => {
    const reply = request.authorization === `Bearer ${WRONG_TOKEN}` ? wrong : accepts
    reply(res, request, accept)
  })
  for (let i = 0; i < 4; i += 1) await meta.deliver(SENDERS / 2)
}

async function triedSends({ db }: Lab): Promise<number> {
  return (await db.$client.query('select 1 from outbox where attempts > 0')).rowCount ?? 0
}
