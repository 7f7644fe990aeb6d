import { createHash } from 'node:crypto'
import { bytes, change, delivery, message } from '../webhooks.ts'
import type { Cast, CastNumber, CastPerson } from './cast.ts'
import { seededRandom } from './random.ts'

/** One message of the load: what was signed, and what became of it at the door. */
export type LoadMessage = {
  wamid: string
  number: CastNumber
  person: CastPerson
  /** The sender's phone is left out, the BSUID says who it is. */
  hidden: boolean
  /** Meta's type of the real content. */
  type: string
  /** Undefined for what is no text. */
  text: string | undefined
  at: Date
  /** A delivery with the real content was answered 200. */
  acked: boolean
  /** When that was for the first time, ms of the epoch. */
  ackedAt?: number
  /** A delivery with the `unsupported` ghost was answered 200. */
  ghostAcked: boolean
}

/** One POST; redeliveries post the same bytes again. */
export type LoadDelivery = {
  body: Buffer
  /** Signed with a secret that is not ours: must change nothing. */
  forged: boolean
  /** Holds, beside its messages, an item without id: they are routed, and it becomes a dead letter. */
  poisoned: boolean
  messages: { message: LoadMessage; ghost: boolean }[]
  /** Which door, modulo their number. */
  door: number
}

/** How often each oddity comes; 0 to 1, of the deliveries. */
export type Oddities = {
  /** Several messages of one customer at the same moment, in deliveries of their own. */
  burst: number
  /** The ghost of a message before, beside or after the real content. */
  ghost: number
  poison: number
  forged: number
  /** A number that is not provisioned yet. */
  late: number
  /** Somebody nobody ever heard of. */
  stranger: number
  /** Messages that came before, of several deliveries, in a delivery of other bytes. */
  repeat: number
  /** Into expired chatrooms: each costs a send, and Meta allows ten a minute to one customer. */
  gone: number
}

const ODDITIES: Oddities = {
  burst: 0.15,
  ghost: 0.04,
  poison: 0.003,
  forged: 0.005,
  late: 0.005,
  stranger: 0.03,
  repeat: 0.03,
  gone: 0.05,
}

const RECENT = 200

export type Content = {
  /** The deliveries of the next moment: one, or a few that belong together. */
  next(): LoadDelivery[]
  /** Everything ever written, by wamid. Forged messages are not among them. */
  messages: Map<string, LoadMessage>
}

type ContentOptions = { seed: number; cast: Cast; textCanary: string; oddities?: Partial<Oddities> }

/** Writes what a run delivers: the same seed writes the same messages in the same order (but for the time of day). */
export function createContent({ seed, cast, textCanary, oddities }: ContentOptions): Content {
  const random = seededRandom(seed)
  const odds = { ...ODDITIES, ...oddities }
  const messages = new Map<string, LoadMessage>()
  let written = 0
  let recent: LoadMessage[] = []

  const write = (number: CastNumber, person: CastPerson, reactions = 0.05): LoadMessage => {
    written += 1
    const hidden = person.userId !== undefined && random.chance(0.3)
    const type = random.chance(reactions) ? 'reaction' : 'text'
    const one: LoadMessage = {
      wamid: `wamid.LOAD${seed}.${written}`,
      number,
      person,
      hidden,
      type,
      text: type === 'text' ? `${textCanary} ${written} ${random.int(0, 1e9).toString(36)}` : undefined,
      // Up to a minute old, so that what comes in late is older than what is there already.
      at: new Date(Math.floor(Date.now() / 1000) * 1000 - random.int(0, 60) * 1000),
      acked: false,
      ghostAcked: false,
    }
    return one
  }
  const note = (number: CastNumber, person: CastPerson, reactions?: number) => {
    const one = write(number, person, reactions)
    messages.set(one.wamid, one)
    recent = [...recent.slice(1 - RECENT), one]
    return one
  }
  const pack = (number: CastNumber, items: LoadDelivery['messages'], poisoned = false): LoadDelivery => {
    const content = items.map(({ message: m, ghost }) => metaMessage(m, ghost))
    if (poisoned)
      content.splice(random.int(0, content.length), 0, { from: '15550000000', type: 'text' } as never)
    const body = bytes(delivery([change(number.phoneId, { messages: content })], number.wabaId))
    return { body, forged: false, poisoned, messages: items, door: random.int(0, 1) }
  }
  const real = (one: LoadMessage) => ({ message: one, ghost: false })
  const anyone = () =>
    random.chance(odds.stranger)
      ? { waId: String(15_553_000_000 + written), userId: undefined }
      : random.pick(cast.busy)

  const ordinary = (): LoadDelivery[] => {
    const late = random.chance(odds.late)
    const number = late ? cast.lateNumber : random.pick(cast.numbers)
    const items = Array.from({ length: random.int(1, 5) }, () => real(note(number, anyone())))
    return [pack(number, random.shuffled(items), !late && random.chance(odds.poison))]
  }
  const burst = (): LoadDelivery[] => {
    const [number, person] = [random.pick(cast.numbers), random.pick(cast.busy)]
    const each = Array.from({ length: random.int(2, 4) }, (_, door) => ({
      ...pack(number, [real(note(number, person))]),
      door,
    }))
    return random.chance(0.3) ? [...each, { ...each[0]!, door: 1 }] : each
  }
  const ghostly = (): LoadDelivery[] => {
    const number = random.pick(cast.numbers)
    // A ghost is answered as whatever it may be; a reaction, once known, would not have been.
    const one = note(number, random.pick(cast.busy), 0)
    const both = [pack(number, [{ message: one, ghost: true }]), pack(number, [real(one)])]
    if (random.chance(0.2)) return [pack(number, [{ message: one, ghost: true }, real(one)])]
    return random.chance(0.3) ? both.reverse() : both
  }
  const forged = (): LoadDelivery[] => {
    const number = random.pick(cast.numbers)
    return [{ ...pack(number, [real(write(number, random.pick(cast.busy)))]), forged: true }]
  }
  const repeat = (): LoadDelivery[] => {
    const { number } = random.pick(recent)
    const same = recent.filter((one) => one.number === number)
    return [pack(number, random.shuffled(same).slice(0, 5).map(real))]
  }
  let leaver = 0
  const gone = (): LoadDelivery[] => {
    const { person, number } = cast.gone[leaver++ % cast.gone.length]!
    return [pack(number, [real(note(number, person))])]
  }
  const kinds: [number, () => LoadDelivery[]][] = [
    [odds.burst, burst],
    [odds.ghost, ghostly],
    [odds.forged, forged],
    [odds.repeat, repeat],
    [cast.gone.length > 0 ? odds.gone : 0, gone],
  ]
  return {
    messages,
    next() {
      let at = random.next()
      if (recent.length === 0) return ordinary()
      for (const [share, make] of kinds) {
        if (at < share) return make()
        at -= share
      }
      return ordinary()
    },
  }
}

function metaMessage({ wamid, person, hidden, type, text, at }: LoadMessage, ghost: boolean) {
  const { waId, userId } = person
  const common = { id: wamid, from: hidden ? '' : waId, at, ...(userId && { userId }) }
  if (ghost) {
    const errors = [{ code: 131060, title: 'This message is currently unavailable.' }]
    return message({ ...common, type: 'unsupported', extra: { errors } })
  }
  if (text !== undefined) return message({ ...common, body: text })
  return message({ ...common, type, extra: { reaction: { message_id: 'wamid.of-ours', emoji: '+' } } })
}

/** A delivery by its bytes, as the inbox keeps them. */
export function digestOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}
