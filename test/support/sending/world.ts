import type { Db } from '../../../src/db/client.ts'
import type { Graph } from '../../../src/outbound/graph.ts'
import type { Send } from '../../../src/outbound/read-send.ts'
import type { RecordingGraph } from '../graph-server.ts'
import { createRoom, createSendingOrg, type TestOrg } from '../org.ts'
import type { Fate, Status } from './program.ts'
import { PAIRS, WORKERS } from './program.ts'

/** A message that the API accepted, with the moments when its request began and ended. */
export type Asked = { id: string; pair: number; kind: 'message' | 'auto_reply'; began: number; ended: number }

/** One life of a worker process: when it is dead, it neither sends statements nor sees their results. */
export type Life = { isDead: boolean; died: Promise<void>; die(): void; underWay: Map<string, Send> }

/** An answer that the stand-in has not given yet. */
export type Held = { id: string; answer(): void }

export type World = {
  db: Db
  org: TestOrg
  rooms: Awaited<ReturnType<typeof createRoom>>[]
  graph: RecordingGraph
  /** A client of the stand-in, and one of a port that nobody listens to. */
  clients: { real: Graph; unreachable: Graph }
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
  posted: { id: string; wamid: string; status: Status; named: boolean }[]
  failures: unknown[]
  ticks: number
}

/** Five pairs of an org of their own: three customers, of whom two have chatrooms at both numbers. */
export async function createWorld(
  parts: Pick<World, 'db' | 'graph' | 'clients'>,
  fates: readonly Fate[],
): Promise<World> {
  const { db } = parts
  const org = await createSendingOrg(db, {}, { phones: 2 })
  const rooms: World['rooms'] = []
  for (let i = 0; i < PAIRS; i += 1) {
    const phone = org.phones[i % 2]!
    const customer = `+1555000110${Math.floor(i / 2)}`
    rooms.push(await createRoom(db, org, { customer, phone, lastInboundAt: new Date() }))
  }
  return {
    ...{ ...parts, org, rooms, fates: [...fates], fateOf: new Map(), asked: [], held: [], posted: [] },
    ...{ arrived: new Set(), orphaned: new Set(), started: new Map(), resting: new Map(), failures: [] },
    ...{ lives: Array.from({ length: WORKERS }, newLife), ticks: 0 },
  }
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
