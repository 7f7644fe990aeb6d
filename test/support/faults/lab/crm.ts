import { mintToken } from '../../../../src/cli/token.ts'
import { type Random, seededRandom } from '../random.ts'
import { LASTING_HOURS } from './clock.ts'
import type { Lab } from './lab.ts'
import { LEAVER, LEAVERS } from './orgs.ts'

/** A stand-in for the CRM: it deactivates, activates and assigns chatrooms over the API all the while. */
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
    const { method, path, body } = anyCall(random, org, id)
    const { port } = random.pick(lab.proxies.receivers)
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    await response.arrayBuffer()
    return String(response.status)
  }
}

/** The chatroom is deactivated, activated, or given to a user, who may be leaving at this moment. */
function anyCall(random: Random, org: string, id: string) {
  const what = random.next()
  const change = `/v1/org/${org}/contacts/chatroom/${id}`
  if (what < 0.45) {
    return { method: 'PUT', path: `${change}/deactivate`, body: { deactivation_reason: 'FORCE_DEACTIVATE' } }
  }
  if (what < 0.75) {
    const path = `${change}/activate?force_deactivate=${random.chance(0.5)}`
    return { method: 'PUT', path, body: undefined }
  }
  const assign_details = {
    assign_mode: 'USER',
    user_id: LEAVER + random.int(0, LEAVERS - 1),
    assign_on_handover: random.chance(0.5),
  }
  return { method: 'POST', path: `/v3/org/${org}/lead/chatroom/${id}/reassign`, body: { assign_details } }
}

async function listRooms({ db }: Lab): Promise<Room[]> {
  const { rows } = await db.$client.query<Room>(
    `select id, org_id as org from chatrooms order by id desc limit ${LISTED}`,
  )
  return rows
}

async function tokenFor(org: string, secret: string): Promise<string> {
  const jwt = { secrets: [secret], jwksUrl: undefined, issuer: undefined, audience: undefined }
  return mintToken({ org, role: 'ADMIN', user: 'ann', hours: LASTING_HOURS }, jwt)
}
