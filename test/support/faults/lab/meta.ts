import { setTimeout as sleep } from 'node:timers/promises'
import type { AcceptedSend, RecordingGraph } from '../../graph-server.ts'
import { bytes, change, delivery } from '../../webhooks.ts'
import type { PostedStatus } from '../checks/check-statuses.ts'
import { seededRandom } from '../random.ts'
import { becomesTrue } from './becomes-true.ts'
import type { Content } from './content.ts'
import { createLoadLog, type LoadLog } from './load-log.ts'
import { type OnAcked, Poster, type PosterOptions } from './poster.ts'
import type { LoadDelivery } from './writer.ts'

type MetaOptions = Pick<PosterOptions, 'receivers' | 'secret'> & {
  seed: number
  content: Content
  graph: RecordingGraph
  /** Share of the accepted sends whose statuses are reported by webhook. */
  statuses: number
}

const STATUSES = ['sent', 'delivered', 'read'] as const
const TWICE_SHARE = 0.1

/**
 * The source of the load; it behaves like Meta. It posts signed deliveries, redelivers them until they are answered
 * with 200, and reports the statuses of what the stand-in Graph API accepted, in any order.
 */
export class Meta {
  readonly log: LoadLog
  readonly #options: MetaOptions
  readonly #random
  readonly #poster: Poster
  /** Deliveries on their way, and those of them that are not statuses and not answered yet. */
  #pending = 0
  #unanswered = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: MetaOptions) {
    const { seed, content, graph, receivers, secret } = options
    this.#options = options
    this.#random = seededRandom(seed + 1)
    this.log = createLoadLog(content.messages)
    this.#poster = new Poster({ random: this.#random, log: this.log, receivers, secret })
    graph.onAccepted((send) => this.#reportStatuses(send))
  }

  /** Writes messages for `post`. */
  get writer(): Content['writer'] {
    return this.#options.content.writer
  }

  /** Writes and posts new deliveries at this rate until `pause`. */
  run(perSecond: number): void {
    clearTimeout(this.#timer)
    for (const one of this.#options.content.next()) void this.post(one)
    this.#timer = setTimeout(() => this.run(perSecond), (1_000 / perSecond) * (0.5 + this.#random.next()))
  }

  pause(): void {
    clearTimeout(this.#timer)
  }

  /** Posts the deliveries of the next `moments` at once; resolves when each was answered as it must be. */
  async deliver(moments: number): Promise<void> {
    const batch = Array.from({ length: moments }, () => this.#options.content.next()).flat()
    await Promise.all(batch.map((one) => this.post(one)))
  }

  /** Posts one delivery and its duplicate, if it has one; resolves when it was answered as it must be. */
  async post(one: LoadDelivery): Promise<void> {
    const counted = one.items.length > 0 ? 1 : 0
    this.#pending += 1
    this.#unanswered += counted
    try {
      await this.#poster.postUntilAnswered(one)
      this.#unanswered -= counted
      await this.#poster.postDuplicate(one)
    } finally {
      this.#pending -= 1
    }
  }

  /** Resolves when every delivery but those of statuses was answered as it must be; false when that takes longer. */
  answered(withinMs: number): Promise<boolean> {
    return becomesTrue(() => this.#unanswered === 0, withinMs)
  }

  /** The same with statuses, which follow sends, and with duplicates. */
  idle(withinMs: number): Promise<boolean> {
    return becomesTrue(() => this.#pending === 0, withinMs)
  }

  /** Gives a function that removes the listener. */
  onAcked(listener: OnAcked): () => void {
    this.#poster.listeners.add(listener)
    return () => this.#poster.listeners.delete(listener)
  }

  /** Gives up what is not answered yet. */
  stop(): void {
    this.pause()
    this.#poster.stop()
  }

  #reportStatuses(send: AcceptedSend): void {
    const random = this.#random
    if (!random.chance(this.#options.statuses)) return
    for (const status of random.shuffled(STATUSES)) {
      const times = random.chance(TWICE_SHARE) ? 2 : 1
      for (let i = 0; i < times; i += 1) void this.#reportStatus(send, status, random.int(20, 1_500))
    }
  }

  async #reportStatus(send: AcceptedSend, status: PostedStatus['status'], afterMs: number): Promise<void> {
    const receiver = this.#random.int(0, 1)
    this.#pending += 1
    try {
      await sleep(afterMs)
      const one: PostedStatus = { callback: send.callback, wamid: send.wamid, status, acked: false }
      this.log.statuses.push(one)
      await this.post({ body: statusBody(send, status), forged: false, poisoned: false, items: [], receiver })
      one.acked = !this.#poster.stopped
    } finally {
      this.#pending -= 1
    }
  }
}

function statusBody({ callback, phoneId, to, wamid }: AcceptedSend, status: string): Buffer {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const recipient = to.replace(/^\+/, '')
  const item = { id: wamid, status, timestamp, recipient_id: recipient, biz_opaque_callback_data: callback }
  return bytes(delivery([change(phoneId, { statuses: [item], contacts: [] })]))
}
