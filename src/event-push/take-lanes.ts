import { v4 as randomId } from 'uuid'
import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { COMMIT_ON_DISK, commitWith, inReplayableTransaction } from '../db/transaction.ts'
import { addOlderMessages } from '../event-feed/add-older-messages.ts'
import { openSecret } from '../webhook-endpoints/secret.ts'
import type { Trouble } from './decide.ts'
import {
  deleteLanes,
  type LaneWrite,
  LEASE_MS,
  moveHeads,
  readLanes,
  type TroubledRow,
  writeLanes,
} from './lane-rows.ts'
import { comparePlaces, type Place } from './place.ts'
import { boundOf } from './plan-lanes.ts'
import { type Found, findLanes, type OpenTarget, type Planned, planTake } from './plan-take.ts'
import { type LaneEvent, readLanePages } from './read-lane-pages.ts'
import { type TakenReplay, takeReplay } from './take-replay.ts'
import { type EndpointKey, lockTargets, type Target } from './target.ts'

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
  /** Shared by the lanes of an endpoint that were taken together. */
  target: Pick<Target, 'url' | 'includeContent' | 'onRejection' | 'isFailing'> & { secrets: string[] }
  /** The database's clock, as milliseconds to add to `performance.now()`. */
  clockMs: number
}

/**
 * What was taken of an endpoint. `isMore`: there may be more to take at once. `isPending`: there are events that cannot be
 * read yet. `isSealed`: this process has no key for the secret, and took nothing.
 */
export type Taken = { lanes: TakenLane[]; isMore: boolean; isPending: boolean; isSealed: boolean }

const NOTHING: Taken = { lanes: [], isMore: false, isPending: false, isSealed: false }
const SEALED: Taken = { ...NOTHING, isSealed: true }

/**
 * Takes lanes of endpoints that have events to post, and replays, in one transaction, with as many round trips as for one
 * endpoint. All together give at most `slots` lanes, the first endpoints first. The leases are recorded, so that no other
 * worker takes the lanes. What it gives is durable: a crash of PostgreSQL does not undo what was posted.
 * @returns what was taken of each endpoint, in the order of `keys`
 */
export async function takeLanes(
  db: Db,
  keys: EndpointKey[],
  { slots, secretsKey }: { slots: number; secretsKey: Buffer | undefined },
): Promise<Taken[]> {
  const asked = performance.now()
  const first = [lockTargets(keys), readLanes(keys)] as const
  return inReplayableTransaction(db, { first, inOrder: true }, async (tx, [targets, rows]) => {
    const inTurn = keys.flatMap(
      ({ endpointId }) => targets.find((target) => target.endpointId === endpointId) ?? [],
    )
    const opened = inTurn.flatMap((target) => openTarget(target, secretsKey) ?? [])
    const found = opened.map((target) => findLanes(target, rows))
    const taken = new Map<string, Taken>(inTurn.map(({ endpointId }) => [endpointId, SEALED]))
    for (const one of await takeOf(tx, found, slots))
      taken.set(one.planned.target.endpointId, toTaken(one, asked))
    return keys.map(({ endpointId }) => taken.get(endpointId) ?? NOTHING)
  })
}

type Took = { planned: Planned; leaseId: string; replay: TakenReplay | undefined }

async function takeOf(tx: Db, found: Found[], slots: number): Promise<Took[]> {
  const leaseId = randomId()
  const all = planTake(await readPages(tx, found, slots), slots)
  const took: Took[] = []
  for (const planned of all) {
    const { target, plan } = planned
    const events = plan?.taken.flatMap((lane) => lane.events) ?? []
    await addOlderMessages(
      tx,
      target.orgId,
      events.map(({ row }) => row),
    )
    const replay = planned.replay && (await takeReplay(tx, target, leaseId, planned.replay))
    took.push({ planned, leaseId, replay })
  }
  await commitWith(tx, writesOf(all, leaseId))
  return took
}

/** Not every endpoint has as many lanes with events as its share of the slots; the others may have more. */
const LANES_FOR_A_SLOT = 2

/** One page of the log for each endpoint with lanes that may be taken. */
async function readPages(tx: Db, found: Found[], slots: number) {
  const asking = found.filter(({ most }) => most > 0)
  const lanes = Math.ceil((LANES_FOR_A_SLOT * slots) / asking.length)
  const wanted = asking.map(({ target: { orgId, types }, standing, candidates, most }) => {
    const bound = boundOf(standing, candidates)
    return { orgId, types, candidates, bound, lanes: Math.min(most, lanes) }
  })
  const pages = await run(tx, readLanePages(wanted))
  return found.map((one) => ({ one, page: pages[asking.indexOf(one)] }))
}

function writesOf(all: Planned[], leaseId: string) {
  const lanes = all.flatMap(({ target: { orgId, endpointId }, plan }): LaneWrite[] => [
    ...(plan?.taken ?? []).map((lane) => ({ ...lane, orgId, endpointId, leaseId })),
    ...(plan?.waiting ?? []).map((lane) => ({ ...lane, orgId, endpointId, leaseId: null })),
  ])
  const risen = all.flatMap(({ target: { orgId, endpointId }, plan }) =>
    (plan?.risen ?? []).map((lane) => ({ orgId, endpointId, lane })),
  )
  const heads = all.flatMap(({ target: { orgId, endpointId, head }, plan }) =>
    plan && comparePlaces(plan.head, head) !== 0 ? [{ orgId, endpointId, ...plan.head }] : [],
  )
  const isTaken = lanes.some((lane) => lane.leaseId !== null)
  return [writeLanes(lanes), deleteLanes(risen), moveHeads(heads), ...(isTaken ? [COMMIT_ON_DISK] : [])]
}

function toTaken({ planned, leaseId, replay }: Took, asked: number): Taken {
  const { target, standing, plan, isMore, isPending } = planned
  const { orgId, endpointId, now } = target
  const clock = { leaseEnds: asked + LEASE_MS, clockMs: now.getTime() - asked }
  const shared = { orgId, endpointId, leaseId, target, ...clock }
  const troubles = new Map(standing.rows.map((row) => [row.lane, row]))
  const lanes = (plan?.taken ?? []).map(({ lane, position, seq, at, events, upTo }) => ({
    ...{ ...shared, lane, place: { position, seq, at }, events, upTo, isMore },
    trouble: troubleOf(troubles.get(lane)),
  }))
  return {
    lanes: [...lanes, ...(replay ? [{ ...shared, ...replay }] : [])],
    isMore,
    isPending,
    isSealed: false,
  }
}

function openTarget(target: Target, key: Buffer | undefined): OpenTarget | undefined {
  const { orgId, endpointId: id, secret, oldSecret } = target
  const secrets = [secret, ...(oldSecret ? [oldSecret] : [])].map((one) =>
    openSecret(one, { orgId, id }, key),
  )
  const opened = secrets.filter((one) => one !== undefined)
  return opened.length === secrets.length ? { ...target, secrets: opened } : undefined
}

function troubleOf(row: TroubledRow | undefined): Trouble {
  return { failures: row?.failures ?? 0, rejections: row?.rejections ?? 0, ms: row?.ms ?? 0 }
}
