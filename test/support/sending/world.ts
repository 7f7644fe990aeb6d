import type { Db } from '../../../src/db/client.ts'
import type { Graph } from '../../../src/outbound/graph.ts'
import type { Send } from '../../../src/outbound/read-send.ts'
import type { RecordingGraph } from '../graph-server.ts'
import { createRooms, createSendingOrgs, type TestOrg } from '../org.ts'
import type { Fate, Status } from './program.ts'
import { PAIRS, WORKERS } from './program.ts'

/** A message that the API accepted, with the moments when its request began and ended. */
export type Asked = {
  id: string
  pair: number
  kind: 'message' | 'auto_reply'
  began: number
  ended: number
  /** The message that a person sent again as this one, and whether the person confirmed it. */
  retryOf?: { id: string; confirm: boolean }
}

/** One life of a worker process: when it is dead, it neither sends statements nor sees their results. */
export type Life = { isDead: boolean; died: Promise<void>; die(): void; underWay: Map<string, Send> }

/** An answer that the stand-in has not given yet. */
export type Held = { id: string; answer(): void }

/** A database and a stand-in of its own, for one program after another. */
export type Lane = {
  db: Db
  graph: RecordingGraph
  /** A client of the stand-in, and one of a port that nobody listens to. */
  clients: { real: Graph; unreachable: Graph }
  /** The places of the next programs. */
  places: Place[]
}

/** An org of its own with five pairs: three customers, of whom two have chatrooms at both numbers. */
type Place = { org: TestOrg; rooms: Awaited<ReturnType<typeof createRooms>> }

export type World = Lane &
  Place & {
    /** Fates of the next requests. */
    fates: Fate[]
    fateOf: Map<string, Fate>
    asked: Asked[]
    /** Ids of the messages whose requests reached the stand-in, or whose worker died with them. */
    arrived: Set<string>
    orphaned: Set<string>
    held: Held[]
    lives: Life[]
    /** Ends of the sends that were started, and the lives that started them. */
    started: Map<string, { life: Life; ended: Promise<unknown> }>
    /** Called when a send under way waits for an answer that is held back. */
    resting: Map<string, () => void>
    /** What happens as soon as the answer to a send is recorded. */
    afterwards: Map<string, () => Promise<void>>
    posted: { id: string; wamid: string; status: Status; named: boolean }[]
    failures: unknown[]
    ticks: number
  }

const PLACES = 25

/** The beginning of a program: nothing is asked for yet. */
export async function createWorld(lane: Lane, fates: readonly Fate[]): Promise<World> {
  if (lane.places.length === 0) lane.places.push(...(await createPlaces(lane.db)))
  const place = lane.places.pop()!
  return {
    ...{ ...lane, ...place, fates: [...fates], fateOf: new Map(), asked: [], held: [], posted: [] },
    ...{
      arrived: new Set(),
      orphaned: new Set(),
      started: new Map(),
      resting: new Map(),
      afterwards: new Map(),
      failures: [],
    },
    ...{ lives: Array.from({ length: WORKERS }, newLife), ticks: 0 },
  }
}

async function createPlaces(db: Db): Promise<Place[]> {
  const orgs = await createSendingOrgs(db, PLACES, {}, { phones: 2 })
  const pairs = orgs.flatMap((org) => Array.from({ length: PAIRS }, (_, pair) => ({ org, pair })))
  const rooms = await createRooms(
    db,
    pairs.map(({ org, pair }) => {
      const [phone, customer] = [org.phones[pair % 2]!, `+1555000110${Math.floor(pair / 2)}`]
      return { org, room: { phone, customer, lastInboundAt: new Date() } }
    }),
  )
  return orgs.map((org, i) => ({ org, rooms: rooms.slice(i * PAIRS, (i + 1) * PAIRS) }))
}

export function newLife(): Life {
  let die = () => {}
  const died = new Promise<void>((resolve) => {
    die = resolve
  })
  const life: Life = {
    ...{ isDead: false, died, underWay: new Map() },
    die() {
      life.isDead = true
      die()
    },
  }
  return life
}

/** A database as the process of that life sees it. */
export function dbOf(life: Life, db: Db): Db {
  const never = new Promise<never>(() => {})
  const query = (...args: unknown[]) => {
    if (life.isDead) return never
    const result = (db.$client.query as (...all: unknown[]) => Promise<unknown>)(...args)
    return result.then((value) => (life.isDead ? never : value))
  }
  return { $client: { query } } as unknown as Db
}
