import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { countMessages, type Outcome, readOutcomes } from './outcomes.ts'
import type { Post } from './post.ts'
import type { SampleOrg } from './sample-org.ts'
import { type Scene, wamidPrefix } from './scenes.ts'

/** The result of the scenes: `ok` when every message was routed as expected, and a table row for each message. */
export type Played = { ok: boolean; rows: string[][] }

export const ROUTED_WITHIN_MS = 20_000

/**
 * Posts the scenes one after another, waits until each is routed, and compares the outcomes with the expected ones. No
 * other message of `run` may be in the ledger.
 */
export async function playScenes(
  db: Db,
  { org, run, scenes }: { org: SampleOrg; run: string; scenes: Scene[] },
  post: Post,
): Promise<Played> {
  const rows: string[][] = []
  const checks: boolean[] = []
  for (const scene of scenes) {
    const status = await post(scene)
    const outcomes = await waitForOutcomes(db, org, scene)
    checks.push(status === (scene.forged ? 401 : 200))
    for (const { wamid, route, room } of scene.messages) {
      const outcome = outcomes.get(wamid)
      checks.push(outcome?.route === route && (outcome.room ?? undefined) === room)
    }
    rows.push(...describe(scene, status, outcomes))
  }
  const wamids = new Set(scenes.flatMap((s) => s.messages.map((m) => m.wamid)))
  checks.push((await countMessages(db, org.id, wamidPrefix(run))) === wamids.size)
  return { ok: checks.every(Boolean), rows }
}

async function waitForOutcomes(db: Db, org: SampleOrg, scene: Scene): Promise<Map<string, Outcome>> {
  const wamids = scene.messages.map((m) => m.wamid)
  const end = Date.now() + ROUTED_WITHIN_MS
  for (;;) {
    const outcomes = await readOutcomes(db, org.id, wamids)
    if (outcomes.size === wamids.length || Date.now() > end) return outcomes
    await sleep(20)
  }
}

function describe(scene: Scene, status: number, outcomes: Map<string, Outcome>): string[][] {
  if (scene.messages.length === 0)
    return [[scene.title, String(status), '', 'nowhere', 'refused by the receiver']]
  return scene.messages.map(({ wamid }, i) => {
    const outcome = outcomes.get(wamid)
    const head = i === 0 ? [scene.title, String(status)] : ['', '']
    if (!outcome) return [...head, '', 'NOT ROUTED', '']
    const found = outcome.candidates.map((c) => c.state).join(', ') || 'no chatroom'
    const reply = outcome.reply ? `; auto-reply ${outcome.reply}` : ''
    return [...head, found, outcome.room ?? '(held)', `${outcome.route}: ${outcome.reason}${reply}`]
  })
}
