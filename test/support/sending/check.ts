import type { AcceptedSend } from '../graph-server.ts'
import type { Asked, World } from './world.ts'

type Row = { id: string; state: string; wamid: string | null; status: string | null; ledger: string | null }

/** Every way in which a world broke its promises, as sentences; empty when it kept them. */
export async function findBroken(world: World): Promise<string[]> {
  const { rows } = await world.db.$client.query<Row>(
    `select o.id, o.state, o.wamid, m.status, m.wamid as ledger from outbox o
     left join messages m on m.org_id = o.org_id and m.wamid in (o.wamid, 'outbox:' || o.id) where o.org_id = $1`,
    [world.org.id],
  )
  return [
    ...world.failures.map((error) => `something failed: ${error}`),
    ...outOfOrder(world),
    ...twice(world),
    ...twiceUnasked(world),
    ...rows.flatMap((row) => untrue(world, row)),
    ...(rows.length === world.asked.length ? [] : [`${rows.length} rows for ${world.asked.length} messages`]),
  ]
}

/** Of one pair and kind, a message is not accepted after one that was asked for when its own request had ended. */
function outOfOrder({ asked, graph: { accepted } }: World): string[] {
  const byId = new Map(asked.map((one) => [one.id, one]))
  const taken = accepted.flatMap(({ callback }) => byId.get(callback) ?? [])
  return taken.flatMap((later, i) =>
    taken
      .slice(0, i)
      .filter((earlier) => isSameLine(earlier, later) && later.ended < earlier.began)
      .map(({ id }) => `${later.id} was asked for before ${id}, and accepted after it`),
  )
}

const isSameLine = (a: Asked, b: Asked) => a.pair === b.pair && a.kind === b.kind

function twice({ graph: { accepted } }: World): string[] {
  const seen = new Set<string>()
  return accepted.flatMap(({ callback }) => {
    if (seen.has(callback)) return [`${callback} was accepted twice`]
    seen.add(callback)
    return []
  })
}

/** What was accepted is accepted again as a person's retry only if Meta reported it failed, or the person confirmed it. */
function twiceUnasked({ asked, posted, graph: { accepted } }: World): string[] {
  const isAccepted = (id: string) => accepted.some(({ callback }) => callback === id)
  const isFailed = (id: string) => posted.some((post) => post.id === id && post.status === 'failed')
  return asked.flatMap(({ id, retryOf: old }) =>
    old && !old.confirm && isAccepted(old.id) && isAccepted(id) && !isFailed(old.id)
      ? [`${old.id} was accepted, and sent again as ${id} though nobody confirmed it`]
      : [],
  )
}

/** What a row and its message say is what happened. */
function untrue(world: World, row: Row): string[] {
  const { id, state, wamid, ledger } = row
  const taken = world.graph.accepted.find(({ callback }) => callback === id)
  const said = `${id} is ${state}`
  const broken: string[] = []
  if (state === 'queued' || state === 'sending') broken.push(`${said} in the end`)
  if (state === 'sent' && wamid !== taken?.wamid)
    broken.push(`${said} as ${wamid}, accepted as ${taken?.wamid}`)
  if (wamid !== null && ledger !== wamid) broken.push(`${id} is in the ledger as ${ledger}`)
  if (ledger === null) broken.push(`${id} is not in the ledger`)
  const isProven = world.posted.some((post) => post.id === id && post.named)
  if (state === 'unknown' && isProven) broken.push(`${said}, and a status has named it`)
  if (state === 'unknown' && !world.arrived.has(id) && !world.orphaned.has(id))
    broken.push(`${said}, and its request never left`)
  if (state === 'failed' && taken && !isProven) broken.push(`${said}, and was accepted`)
  return [...broken, ...wrongStatus(world, row, taken)]
}

const RANKS = ['sent', 'failed', 'delivered', 'read']

/** A message that is called sent, or that failed by a status, has the strongest status that was reported. */
function wrongStatus({ posted }: World, row: Row, taken: AcceptedSend | undefined): string[] {
  if (!taken || row.wamid === null) return []
  const ranks = posted.filter(({ wamid }) => wamid === taken.wamid).map(({ status }) => RANKS.indexOf(status))
  const strongest = RANKS[Math.max(-1, ...ranks)] ?? null
  return row.status === strongest ? [] : [`${row.id} is shown as ${row.status} instead of ${strongest}`]
}
