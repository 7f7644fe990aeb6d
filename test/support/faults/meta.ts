import { setTimeout as sleep } from 'node:timers/promises'
import { sign } from '../../../src/http/signature.ts'
import { bytes, change, delivery } from '../webhooks.ts'
import { type Content, digestOf, type LoadDelivery } from './content.ts'
import type { FaultyGraph, Taken } from './graph.ts'
import { seededRandom } from './random.ts'

/** A status of one of our sends, told by webhook. */
export type LoadStatus = {
  callback: string
  wamid: string
  status: 'sent' | 'delivered' | 'read'
  acked: boolean
}

/** What the load source saw and did; the checker compares it with the database. */
export type LoadLog = {
  messages: Content['messages']
  statuses: LoadStatus[]
  /** SHA-256 of the bodies of poisoned deliveries; true once one was answered 200. */
  poisoned: Map<string, boolean>
  /** Forged deliveries that were answered anything but 401. */
  forgedLetIn: string[]
  figures: LoadFigures
}

export type LoadFigures = {
  /** Deliveries written, posts made of them, and those answered 200. */
  deliveries: number
  posts: number
  acked: number
  /** Posts by answer: an HTTP status, or `none`. */
  answers: Record<string, number>
  answerMs: number[]
}

/** Told of a delivery answered 200. `at`: when it was posted, in ms of `performance.now()`. */
export type OnAcked = (acked: { door: number; at: number }) => unknown

/** The load source: behaves like Meta. */
export type Meta = {
  log: LoadLog
  /** Writes and posts new deliveries at this rate until `pause`. */
  run(perSecond: number): void
  pause(): void
  /** Posts the deliveries of the next `moments` at once; resolves when each was answered 200 (or 401, if forged). */
  deliver(moments: number): Promise<void>
  /** Posts one delivery and its redeliveries; resolves when it was answered 200 (or 401, if forged). */
  post(delivery: LoadDelivery): Promise<void>
  /** Resolves when every delivery but those of statuses was answered as it must be; false when that takes longer. */
  answered(withinMs: number): Promise<boolean>
  /** The same with statuses, which follow our sends, and with deliveries that are posted once more. */
  settled(withinMs: number): Promise<boolean>
  /** Gives a function that ends it. */
  onAcked(listener: OnAcked): () => void
  /** Gives up whatever is not answered yet. */
  stop(): void
}

type MetaOptions = {
  seed: number
  content: Content
  graph: FaultyGraph
  /** Where the doors are now. */
  doors: () => string[]
  secret: string
  /** Share of our sends whose statuses come by webhook. */
  statuses?: number
}

const TIMEOUT_MS = 10_000
const STATUSES = ['sent', 'delivered', 'read'] as const
const [DUPLICATES, TWICE_STATUSES] = [0.05, 0.1]

/**
 * Posts signed deliveries, again and again until answered 200, and some of them once more after that; tells the
 * statuses of whatever the stand-in Graph API took, in any order.
 */
export function createMeta({ seed, content, graph, doors, secret, statuses = 1 }: MetaOptions): Meta {
  const random = seededRandom(seed + 1)
  const figures: LoadFigures = { deliveries: 0, posts: 0, acked: 0, answers: {}, answerMs: [] }
  const log: LoadLog = {
    messages: content.messages,
    statuses: [],
    poisoned: new Map(),
    forgedLetIn: [],
    figures,
  }
  const listeners = new Set<OnAcked>()
  let [pending, unanswered] = [0, 0]
  let stopped = false
  let rate = 0
  let timer: NodeJS.Timeout | undefined

  const postOnce = async (one: LoadDelivery, door: number): Promise<number | undefined> => {
    const urls = doors()
    const at = performance.now()
    const headers = {
      'content-type': 'application/json',
      'x-hub-signature-256': sign(one.body, one.forged ? `${secret}-not` : secret),
    }
    figures.posts += 1
    const status = await fetch(`${urls[door % urls.length]}/webhooks/whatsapp`, {
      method: 'POST',
      headers,
      body: new Uint8Array(one.body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).then(
      async (response) => {
        await response.arrayBuffer().catch(() => undefined)
        return response.status
      },
      () => undefined,
    )
    const word = String(status ?? 'none')
    figures.answers[word] = (figures.answers[word] ?? 0) + 1
    if (status !== undefined) figures.answerMs.push(performance.now() - at)
    if (status === 200 && !one.forged) {
      note(one)
      for (const listener of listeners) listener({ door: door % urls.length, at })
    }
    return status
  }
  const note = (one: LoadDelivery) => {
    figures.acked += 1
    for (const { message, ghost } of one.messages) {
      if (ghost) message.ghostAcked = true
      else {
        message.acked = true
        message.ackedAt ??= Date.now()
      }
    }
    if (one.poisoned) log.poisoned.set(digestOf(one.body), true)
  }
  /** Until it is answered as it must be; some that were answered are delivered once more. */
  const post = async (one: LoadDelivery): Promise<void> => {
    const own = one.messages.length > 0
    pending += 1
    if (own) unanswered += 1
    figures.deliveries += 1
    if (one.poisoned) log.poisoned.set(digestOf(one.body), false)
    try {
      for (let tries = 0; !stopped; tries += 1) {
        const status = await postOnce(one, one.door + tries)
        if (one.forged && status !== undefined && status !== 503) {
          if (status !== 401) log.forgedLetIn.push(`answered ${status}`)
          break
        }
        if (!one.forged && status === 200) break
        await sleep(Math.min(2_000, 100 * 2 ** tries) * (0.5 + random.next()))
      }
      if (own) unanswered -= 1
      if (!stopped && !one.forged && random.chance(DUPLICATES)) {
        await sleep(random.int(0, 3_000))
        await postOnce(one, one.door + random.int(0, 1))
      }
    } finally {
      pending -= 1
    }
  }

  graph.onTaken((taken) => {
    if (!random.chance(statuses)) return
    const words = random
      .shuffled(STATUSES)
      .flatMap((word) => (random.chance(TWICE_STATUSES) ? [word, word] : [word]))
    for (const word of words) void tell(taken, word, random.int(20, 1_500))
  })
  const tell = async (taken: Taken, status: LoadStatus['status'], afterMs: number) => {
    pending += 1
    try {
      await sleep(afterMs)
      const one: LoadStatus = { callback: taken.callback, wamid: taken.wamid, status, acked: false }
      log.statuses.push(one)
      await post({
        body: statusBody(taken, status),
        forged: false,
        poisoned: false,
        messages: [],
        door: random.int(0, 1),
      })
      one.acked = !stopped
    } finally {
      pending -= 1
    }
  }

  const tick = () => {
    for (const one of content.next()) void post(one)
    timer = setTimeout(tick, (1_000 / rate) * (0.5 + random.next()))
  }
  return {
    log,
    run(perSecond) {
      rate = perSecond
      clearTimeout(timer)
      tick()
    },
    pause: () => clearTimeout(timer),
    deliver: async (moments) => {
      const batch = Array.from({ length: moments }, () => content.next()).flat()
      await Promise.all(batch.map(post))
    },
    post,
    answered: (withinMs) => becomes(() => unanswered === 0, withinMs),
    settled: (withinMs) => becomes(() => pending === 0, withinMs),
    onAcked(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop() {
      clearTimeout(timer)
      stopped = true
    },
  }
}

async function becomes(condition: () => boolean, withinMs: number): Promise<boolean> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(50)) if (condition()) return true
  return condition()
}

function statusBody({ callback, phoneId, to, wamid }: Taken, status: string): Buffer {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const recipient = to.replace(/^\+/, '')
  const item = { id: wamid, status, timestamp, recipient_id: recipient, biz_opaque_callback_data: callback }
  return bytes(delivery([change(phoneId, { statuses: [item], contacts: [] })]))
}
