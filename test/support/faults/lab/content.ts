import { type Random, seededRandom } from '../random.ts'
import { KINDS } from './kinds/kinds.ts'
import { LATE_NUMBER } from './orgs.ts'
import type { LabPerson, Population, Returner } from './population.ts'
import { createWriter, type LoadDelivery, type LoadMessage, type Writer } from './writer.ts'

/** How often each oddity occurs; 0 to 1, of the deliveries. */
export type Oddities = {
  /** Several messages of one customer at the same moment, each in a delivery of its own. */
  burst: number
  /** The ghost of a message before, beside or after the real content. */
  ghost: number
  /** An item that cannot be read beside those that can. */
  poison: number
  forged: number
  /** To a number that is not provisioned yet. */
  late: number
  /** From a sender who never wrote before. */
  stranger: number
  /** Messages of several earlier deliveries again, in a delivery of other bytes. */
  repeat: number
  /** Any of the other kinds of webhooks that Meta sends (KINDS). */
  kinds: number
  /** Into expired chatrooms: each costs a send, and Meta allows ten a minute to one customer. */
  returner: number
}

const ODDITIES: Oddities = {
  burst: 0.15,
  ghost: 0.04,
  poison: 0.003,
  forged: 0.005,
  late: 0.005,
  stranger: 0.03,
  repeat: 0.03,
  returner: 0.05,
  kinds: 0,
}

export type Content = {
  /** The deliveries of the next moment: one, or a few that belong together. */
  next(): LoadDelivery[]
  /** Every message written so far, by wamid. Forged messages are not among them. */
  messages: ReadonlyMap<string, LoadMessage>
  /** For messages that a scenario writes itself. */
  writer: Writer
}

type ContentOptions = {
  seed: number
  population: Population
  secretText: string
  oddities?: Partial<Oddities>
}

type Source = {
  random: Random
  odds: Oddities
  population: Population
  writer: Writer
  /** All the returners one after another, then the first again. */
  nextReturner(): Returner
}

/** Writes what a run delivers: the same seed writes the same messages in the same order, but for the time of day. */
export function createContent({ seed, population, secretText, oddities }: ContentOptions): Content {
  const random = seededRandom(seed)
  const writer = createWriter(seed, random, secretText)
  const odds = { ...ODDITIES, ...oddities }
  const { returners } = population
  let turn = 0
  const nextReturner = () => returners[turn++ % returners.length]!
  const source: Source = { random, odds, population, writer, nextReturner }
  const kinds: [share: number, make: (source: Source) => LoadDelivery[]][] = [
    [odds.burst, burst],
    [odds.ghost, ghostAndContent],
    [odds.forged, forged],
    [odds.repeat, repeat],
    [returners.length > 0 ? odds.returner : 0, ofReturner],
    [odds.kinds, ({ random, population, writer }) => random.pick(KINDS)({ random, population, writer })],
  ]
  return {
    messages: writer.messages,
    writer,
    next() {
      let at = random.next()
      if (writer.recent().length === 0) return ordinary(source)
      for (const [share, make] of kinds) {
        if (at < share) return make(source)
        at -= share
      }
      return ordinary(source)
    },
  }
}

const real = (message: LoadMessage) => ({ message, ghost: false })
const ghost = (message: LoadMessage) => ({ message, ghost: true })

function anySender({ random, odds, population, writer }: Source): LabPerson {
  if (!random.chance(odds.stranger)) return random.pick(population.regulars)
  return { waId: String(15_553_000_000 + writer.messages.size), userId: undefined }
}

function ordinary(source: Source): LoadDelivery[] {
  const { random, odds, population, writer } = source
  const late = random.chance(odds.late)
  const number = late ? LATE_NUMBER : random.pick(population.numbers)
  const count = random.int(1, 5)
  const items = Array.from({ length: count }, () => real(writer.write(number, anySender(source))))
  return [writer.pack(number, random.shuffled(items), !late && random.chance(odds.poison))]
}

function burst({ random, population, writer }: Source): LoadDelivery[] {
  const [number, person] = [random.pick(population.numbers), random.pick(population.regulars)]
  const each = Array.from({ length: random.int(2, 4) }, (_, receiver) => ({
    ...writer.pack(number, [real(writer.write(number, person))]),
    receiver,
  }))
  return random.chance(0.3) ? [...each, { ...each[0]!, receiver: 1 }] : each
}

function ghostAndContent({ random, population, writer }: Source): LoadDelivery[] {
  const number = random.pick(population.numbers)
  // No reaction: a ghost gets a reply, since it may be anything, and a reaction would not have got one.
  const one = writer.write(number, random.pick(population.regulars), 0)
  if (random.chance(0.2)) return [writer.pack(number, [ghost(one), real(one)])]
  const both = [writer.pack(number, [ghost(one)]), writer.pack(number, [real(one)])]
  return random.chance(0.3) ? both.reverse() : both
}

function forged({ random, population, writer }: Source): LoadDelivery[] {
  const number = random.pick(population.numbers)
  const draft = writer.draft(number, random.pick(population.regulars))
  return [{ ...writer.pack(number, [real(draft)]), forged: true }]
}

function repeat({ random, writer }: Source): LoadDelivery[] {
  const recent = writer.recent()
  const { number } = random.pick(recent)
  const same = recent.filter((one) => one.number === number)
  return [writer.pack(number, random.shuffled(same).slice(0, 5).map(real))]
}

function ofReturner({ nextReturner, writer }: Source): LoadDelivery[] {
  const { person, number } = nextReturner()
  return [writer.pack(number, [real(writer.write(number, person))])]
}
