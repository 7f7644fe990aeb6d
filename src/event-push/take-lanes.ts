import { v4 as randomId } from 'uuid'
import type { Db } from '../db/client.ts'
import { run, send } from '../db/statement.ts'
import { COMMIT_ON_DISK, inReplayableTransaction } from '../db/transaction.ts'
import { addOlderMessages } from '../event-feed/add-older-messages.ts'
import { openSecret } from '../webhook-endpoints/secret.ts'
import type { Trouble } from './decide.ts'
import {
  deleteLanes,
  type LaneWrite,
  LEASE_MS,
  moveHead,
  readLanes,
  type TroubledRow,
  writeLanes,
} from './lane-rows.ts'
import { comparePlaces, type Place } from './place.ts'
import { boundOf, candidatesOf, type Plan, planLanes, slotsFor } from './plan-lanes.ts'
import { type LaneEvent, type LanePage, readLanePage } from './read-lane-page.ts'
import { readReplay, takeReplay } from './take-replay.ts'
import { type EndpointKey, lockTarget, type Target } from './target.ts'

/** A lane that this process has until `leaseEnds`, a time of `performance.now()`, with its next events. */
export type TakenLane = EndpointKey & {
  lane: number
  leaseId: string
  leaseEnds: number
  /** Up to here the lane's events were delivered. */
  place: Place
  events: LaneEvent[]
  /** Where the lane stands when all of them are delivered. */
  upTo: Place
  /** The log has more for this endpoint, for this lane or others. */
  isMore: boolean
  trouble: Trouble
  /** Shared by the lanes that were taken together. */
  target: Pick<Target, 'url' | 'includeContent' | 'onRejection' | 'isFailing'> & { secrets: string[] }
  /** The database's clock, as milliseconds to add to `performance.now()`. */
  clockMs: number
}

/**
 * `isMore`: there may be more to take at once. `isPending`: there are events that cannot be read yet. `isSealed`: this
 * process has no key for the secret, and took nothing.
 */
export type Taken = { lanes: TakenLane[]; isMore: boolean; isPending: boolean; isSealed: boolean }

const NOTHING: Taken = { lanes: [], isMore: false, isPending: false, isSealed: false }

/**
 * Takes lanes of an endpoint that have events to post, at most `slots`, and its replay. Their leases are recorded, so that
 * no other worker takes them. What it gives is durable: a crash of PostgreSQL does not undo what was posted.
 */
export async function takeLanes(
  db: Db,
  key: EndpointKey,
  { slots, secretsKey }: { slots: number; secretsKey: Buffer | undefined },
): Promise<Taken> {
  const asked = performance.now()
  const first = lockTarget(key)
  const how = { keepPlans: true, first, inOrder: true }
  return inReplayableTransaction(db, how, async (tx, target) => {
    if (!target) return NOTHING
    const secrets = openSecrets(target, secretsKey)
    if (!secrets) return { ...NOTHING, isSealed: true }
    return takeOf(tx, { ...target, secrets }, { slots, asked })
  })
}

async function takeOf(
  tx: Db,
  target: Target & { secrets: string[] },
  { slots, asked }: { slots: number; asked: number },
): Promise<Taken> {
  const { orgId, endpointId, now } = target
  const leaseId = randomId()
  const clock = { leaseEnds: asked + LEASE_MS, clockMs: now.getTime() - asked }
  const shared = { ...{ orgId, endpointId, leaseId }, ...clock, target }
  const [rows, replayRow] = await send(tx, [readLanes(target), readReplay(target)])
  const { plan, isPending } = await planPage(tx, target, rows, slots)
  if (plan) await send(tx, writesOf(target, plan, leaseId))
  const replay = await takeReplay(tx, target, leaseId, replayRow)
  const troubles = new Map(rows.map((row) => [row.lane, row]))
  const lanes = (plan?.taken ?? []).map(({ lane, position, seq, at, events, upTo }) => ({
    ...{ lane, place: { position, seq, at }, events, upTo, isMore: plan?.isMore ?? false },
    trouble: troubleOf(troubles.get(lane)),
  }))
  return {
    lanes: [...lanes, ...(replay ? [replay] : [])].map((lane) => ({ ...shared, ...lane })),
    ...{ isMore: plan?.isMore ?? false, isPending, isSealed: false },
  }
}

/** A head that nothing has moved for so long is renewed, so that few partitions of the log are looked at. */
const RENEW_MS = 600_000

type Planned = { plan: Plan<LaneEvent> | undefined; isPending: boolean }

/** No plan: there is nothing to do. */
async function planPage(
  tx: Db,
  { orgId, types, head, isFailing, now }: Target,
  rows: TroubledRow[],
  slots: number,
): Promise<Planned> {
  const standing = { head, rows }
  const candidates = candidatesOf(standing)
  const most = slotsFor(standing, isFailing, slots)
  if (candidates.length === 0 || most === 0) return { plan: undefined, isPending: false }
  const bound = boundOf(standing, candidates)
  const page = await run(tx, readLanePage({ orgId, candidates, types, bound }))
  const { isPending } = page
  if (page.isAhead) return { plan: startAgain(page, rows), isPending }
  const plan = planLanes(standing, candidates, page, most)
  const events = plan.taken.flatMap((lane) => lane.events)
  await addOlderMessages(
    tx,
    orgId,
    events.map(({ row }) => row),
  )
  const isOld = now.getTime() - head.at.getTime() > RENEW_MS
  const isIdle = page.isEmpty && plan.risen.length === 0 && !isOld
  return { plan: isIdle ? undefined : plan, isPending }
}

/** Places of another server mean nothing here: all lanes go on with what this one writes from now on. */
function startAgain({ end }: LanePage, rows: TroubledRow[]): Plan<LaneEvent> {
  return { taken: [], waiting: [], risen: rows.map(({ lane }) => lane), head: end, isMore: false }
}

function writesOf(target: Target, plan: Plan<LaneEvent>, leaseId: string) {
  const leased: LaneWrite[] = plan.taken.map((lane) => ({ ...lane, leaseId }))
  const waiting: LaneWrite[] = plan.waiting.map((lane) => ({ ...lane, leaseId: null }))
  return [
    writeLanes(target, [...leased, ...waiting]),
    deleteLanes(target, plan.risen),
    ...(plan.taken.length === 0 ? [] : [COMMIT_ON_DISK]),
    ...(comparePlaces(plan.head, target.head) === 0 ? [] : [moveHead(target, plan.head)]),
  ]
}

function openSecrets({ orgId, endpointId: id, secret, oldSecret }: Target, key: Buffer | undefined) {
  const opened = [secret, ...(oldSecret ? [oldSecret] : [])].map((one) => openSecret(one, { orgId, id }, key))
  return opened.every((one) => one !== undefined) ? opened : undefined
}

function troubleOf(row: TroubledRow | undefined): Trouble {
  return { failures: row?.failures ?? 0, rejections: row?.rejections ?? 0, ms: row?.ms ?? 0 }
}
