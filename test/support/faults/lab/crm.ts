import { mintToken } from '../../../../src/cli/token.ts'
import { seededRandom } from '../random.ts'
import type { Lab } from './lab.ts'

/** A stand-in for the CRM: it deactivates and activates chatrooms over the API all the while. */
export type Crm = {
  stop(): void
  /** Calls by answer: an HTTP status, or `none`. */
  answers: Record<string, number>
}

const TIMEOUT_MS = 15_000
/** The call is about one of so many of the newest chatrooms. */
const LISTED = 300

type Room = { id: string; org: string }

/** Calls the API at this rate, for chatrooms of every state; refusals are normal, and counted by status. */
export function startCrm(lab: Lab, { seed, perSecond }: { seed: number; perSecond: number }): Crm {
  const answers: Record<string, number> = {}
  const call = createCaller(lab, seed)
  let stopped = false
  const tick = async () => {
    const answer = await call().catch(() => 'none')
    answers[answer] = (answers[answer] ?? 0) + 1
    if (!stopped) setTimeout(tick, 1_000 / perSecond)
  }
  void tick()
  return {
    answers,
    stop() {
      stopped = true
    },
  }
}

/** Makes one call about a chatroom at random; gives the status. */
function createCaller(lab: Lab, seed: number): () => Promise<string> {
  const random = seededRandom(seed + 2)
  const tokens = new Map<string, string>()
  let rooms: Room[] = []
  return async () => {
    if (rooms.length === 0) rooms = await listRooms(lab)
    const { id, org } = random.pick(rooms)
    const token = tokens.get(org) ?? (await tokenFor(org, lab.jwtSecret))
    tokens.set(org, token)
    const deactivate = random.chance(0.6)
    const path = deactivate ? 'deactivate' : `activate?force_deactivate=${random.chance(0.5)}`
    const { port } = random.pick(lab.proxies.receivers)
    const response = await fetch(`http://127.0.0.1:${port}/v1/org/${org}/contacts/chatroom/${id}/${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(deactivate && { body: JSON.stringify({ deactivation_reason: 'FORCE_DEACTIVATE' }) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    await response.arrayBuffer()
    return String(response.status)
  }
}

async function listRooms({ db }: Lab): Promise<Room[]> {
  const { rows } = await db.$client.query<Room>(
    `select id, org_id as org from chatrooms order by id desc limit ${LISTED}`,
  )
  return rows
}

async function tokenFor(org: string, secret: string): Promise<string> {
  const jwt = { secrets: [secret], jwksUrl: undefined, issuer: undefined, audience: undefined }
  return mintToken({ org, role: 'ADMIN', user: 'ann', hours: '12' }, jwt)
}
