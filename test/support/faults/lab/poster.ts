import { setTimeout as sleep } from 'node:timers/promises'
import { sign } from '../../../../src/http/signature.ts'
import type { Random } from '../random.ts'
import { digestOf, type LoadLog, noteAcknowledged, noteAnswer } from './load-log.ts'
import type { LoadDelivery } from './writer.ts'

/** Called for each delivery that was answered 200. `at`: when it was posted, in ms of `performance.now()`. */
export type OnAcked = (acked: { receiver: number; at: number }) => unknown

/** Meta gives up a request after 10 s. */
const TIMEOUT_MS = 10_000
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [100, 2_000]
/** Redeliveries come at most so often, all together: more of them would keep a machine busy that has to recover. */
const BETWEEN_REDELIVERIES_MS = 10
const DUPLICATE_SHARE = 0.05
const DUPLICATE_WITHIN_MS = 3_000

export type PosterOptions = {
  random: Random
  log: LoadLog
  /** The URLs of the receivers. */
  receivers: string[]
  secret: string
}

/** Posts deliveries as Meta does: again and again until answered with 200, and some of them once more after that. */
export class Poster {
  readonly listeners = new Set<OnAcked>()
  readonly #options: PosterOptions
  #stopped = false
  /** Deliveries that wait for their next try. */
  #waiting = 0

  constructor(options: PosterOptions) {
    this.#options = options
  }

  get stopped(): boolean {
    return this.#stopped
  }

  stop(): void {
    this.#stopped = true
  }

  /** Resolves when the delivery was answered with 200 (a forged one: for certain), or the poster is stopped. */
  async postUntilAnswered(delivery: LoadDelivery): Promise<void> {
    const { log } = this.#options
    log.figures.deliveries += 1
    if (delivery.poisoned) log.poisoned.set(digestOf(delivery.body), false)
    for (let tries = 0; !this.#stopped; tries += 1) {
      const status = await this.#post(delivery, delivery.receiver + tries)
      if (delivery.forged && status !== undefined && status !== 503) {
        if (status !== 401) log.forgedLetIn.push(`answered with ${status}`)
        return
      }
      if (!delivery.forged && status === 200) return
      await this.#pause(tries)
    }
  }

  async #pause(tries: number): Promise<void> {
    this.#waiting += 1
    const own = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries)
    const ms = Math.max(own, this.#waiting * BETWEEN_REDELIVERIES_MS)
    await sleep(ms * (0.5 + this.#options.random.next()))
    this.#waiting -= 1
  }

  /** Posts some of the deliveries once more, as Meta does although it got its answer. */
  async postDuplicate(delivery: LoadDelivery): Promise<void> {
    const { random } = this.#options
    if (this.#stopped || delivery.forged || !random.chance(DUPLICATE_SHARE)) return
    await sleep(random.int(0, DUPLICATE_WITHIN_MS))
    await this.#post(delivery, delivery.receiver + random.int(0, 1))
  }

  /** Posts a delivery once; gives the status, undefined when there was no answer. */
  async #post(delivery: LoadDelivery, nth: number): Promise<number | undefined> {
    const { log, receivers } = this.#options
    const urls = receivers
    const receiver = nth % urls.length
    const at = performance.now()
    log.figures.posts += 1
    const status = await this.#request(`${urls[receiver]}/webhooks/whatsapp`, delivery)
    noteAnswer(log, status, performance.now() - at)
    if (status === 200 && !delivery.forged) {
      noteAcknowledged(log, delivery)
      for (const listener of this.listeners) listener({ receiver, at })
    }
    return status
  }

  async #request(url: string, { body, forged }: LoadDelivery): Promise<number | undefined> {
    const { secret } = this.#options
    const signature = sign(body, forged ? `${secret}-not` : secret)
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    try {
      const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body), signal })
      await response.arrayBuffer().catch(() => undefined)
      return response.status
    } catch {
      return undefined
    }
  }
}
