import { mintToken } from '../../../src/cli/token.ts'
import type { Lab } from './lab.ts'
import { seededRandom } from './random.ts'

/** Somebody in the company, who puts chatrooms to sleep and wakes them up over the API all the while. */
export type Crm = { stop(): void; answers: Record<string, number> }

/** Calls the API at this rate, about chatrooms of every state; refusals are normal, and counted by status. */
export function startCrm(lab: Lab, { seed, perSecond }: { seed: number; perSecond: number }): Crm {
  const random = seededRandom(seed + 2)
  const answers: Record<string, number> = {}
  const tokens = new Map<string, string>()
  const rooms: { id: string; org: string }[] = []
  let stopped = false

  const call = async () => {
    if (rooms.length === 0) {
      const { rows } = await lab.db.$client.query<{ id: string; org: string }>(
        'select id, org_id as org from chatrooms order by id desc limit 300',
      )
      rooms.push(...rows)
    }
    const { id, org } = random.pick(rooms)
    const token = tokens.get(org) ?? (await tokenFor(org, lab.jwtSecret))
    tokens.set(org, token)
    const asleep = random.chance(0.6)
    const path = asleep ? 'deactivate' : `activate?force_deactivate=${random.chance(0.5)}`
    const door = lab.proxies.doors[random.int(0, lab.proxies.doors.length - 1)]!
    const response = await fetch(
      `http://127.0.0.1:${door.port}/v1/org/${org}/contacts/chatroom/${id}/${path}`,
      {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(asleep && { body: JSON.stringify({ deactivation_reason: 'FORCE_DEACTIVATE' }) }),
        signal: AbortSignal.timeout(15_000),
      },
    )
    await response.arrayBuffer()
    return String(response.status)
  }
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

async function tokenFor(org: string, secret: string): Promise<string> {
  const jwt = { secrets: [secret], jwksUrl: undefined, issuer: undefined, audience: undefined }
  return mintToken({ org, role: 'ADMIN', user: 'ann', hours: '12' }, jwt)
}
