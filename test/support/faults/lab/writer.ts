import { bytes, change, delivery, message } from '../../webhooks.ts'
import type { PostedMessage } from '../checks/evidence.ts'
import type { Random } from '../random.ts'
import { REFUSED } from './database.ts'
import { displayOf, type LabNumber } from './orgs.ts'
import type { LabPerson } from './population.ts'

/** A message of the load. */
export type LoadMessage = PostedMessage & { number: LabNumber }

/** A message in a delivery: its real content, or the `unsupported` ghost that Meta may deliver for it. */
type DeliveryItem = { message: LoadMessage; ghost: boolean }

/** The body of one POST; a redelivery posts the same bytes again. */
export type LoadDelivery = {
  body: Buffer
  /** Signed with another secret than Usher's: it must change nothing. */
  forged: boolean
  /** Holds an item beside its messages that cannot be stored: they are routed, and the delivery becomes a dead letter. */
  poisoned: boolean
  items: DeliveryItem[]
  /** Which receiver gets it first, modulo their number. */
  receiver: number
}

/** What differs from a text that a customer has just written. */
export type Part = Partial<
  Pick<LoadMessage, 'type' | 'text' | 'at' | 'hidden' | 'direction' | 'aside' | 'nobody' | 'target'>
>

/** Writes messages and packs them into deliveries. */
export type Writer = {
  /** Every message written so far, by wamid. */
  messages: Map<string, LoadMessage>
  /** The latest messages, oldest first. */
  recent(): LoadMessage[]
  /** A new message that is not recorded. */
  draft(number: LabNumber, person: LabPerson, reactionShare?: number): LoadMessage
  /** A new message. */
  write(number: LabNumber, person: LabPerson, reactionShare?: number): LoadMessage
  /**
   * A message of a kind that needs its own delivery, which is posted again only whole: it is never among the recent ones.
   */
  keep(number: LabNumber, person: PostedMessage['person'], part?: Part): LoadMessage
  pack(number: LabNumber, items: DeliveryItem[], poisoned?: boolean): LoadDelivery
  /** Packs messages into a change that is given whole but for `metadata`. */
  packChange(number: LabNumber, field: string, value: object, items: DeliveryItem[]): LoadDelivery
}

const RECENT = 200
const REACTION_SHARE = 0.05
const ITEM_WITHOUT_ID = { from: '15550000000', type: 'text' }

/** A message that reads well, and that the database refuses (`createLabDatabase`). */
const refusedItem = (random: Random) =>
  message({ id: `${REFUSED}${random.int(0, 1e9)}`, from: String(15_558_000_000 + random.int(0, 1e6)) })

/** `secretText` begins every text message, so that a log that holds message text is found. */
export function createWriter(seed: number, random: Random, secretText: string): Writer {
  const messages = new Map<string, LoadMessage>()
  let recent: LoadMessage[] = []
  let written = 0
  const draft = (number: LabNumber, person: LabPerson, reactionShare = REACTION_SHARE) => {
    written += 1
    return draftMessage(random, {
      wamid: `wamid.LOAD${seed}.${written}`,
      number,
      person,
      text: `${secretText} ${written} ${random.int(0, 1e9).toString(36)}`,
      reactionShare,
    })
  }
  return {
    messages,
    recent: () => recent,
    draft,
    write(number, person, reactionShare) {
      const one = draft(number, person, reactionShare)
      messages.set(one.wamid, one)
      recent = [...recent.slice(1 - RECENT), one]
      return one
    },
    keep(number, person, part = {}) {
      const one: LoadMessage = {
        ...draft(number, person, 0),
        hidden: false,
        ...part,
      }
      if (one.type !== 'text') one.text = undefined
      messages.set(one.wamid, one)
      return one
    },
    pack: (number, items, poisoned = false) => packDelivery(random, number, items, poisoned),
    packChange(number, field, value, items) {
      const metadata = {
        display_phone_number: displayOf(number.phoneId),
        phone_number_id: anyId(random, number),
      }
      const whole = { field, value: { messaging_product: 'whatsapp', metadata, ...value } }
      const body = bytes(delivery([whole], number.wabaId))
      return { body, forged: false, poisoned: false, items, receiver: random.int(0, 1) }
    },
  }
}

type Draft = Pick<LoadMessage, 'wamid' | 'number' | 'person'> & { text: string; reactionShare: number }

function draftMessage(random: Random, { text, reactionShare, ...draft }: Draft): LoadMessage {
  const hidden = draft.person.userId !== undefined && random.chance(0.3)
  const type = random.chance(reactionShare) ? 'reaction' : 'text'
  // Up to a minute old, so that some messages arrive after later ones.
  const at = new Date(Math.floor(Date.now() / 1000) * 1000 - random.int(0, 60) * 1000)
  return {
    ...draft,
    hidden,
    type,
    text: type === 'text' ? text : undefined,
    at,
    acked: false,
    ghostAcked: false,
  }
}

function packDelivery(
  random: Random,
  number: LabNumber,
  items: DeliveryItem[],
  poisoned: boolean,
): LoadDelivery {
  const content: object[] = items.map((item) => (item.ghost ? ghostOf(item.message) : itemOf(item.message)))
  if (poisoned) {
    const poison = random.chance(0.5) ? ITEM_WITHOUT_ID : refusedItem(random)
    content.splice(random.int(0, content.length), 0, poison)
  }
  const body = bytes(delivery([change(anyId(random, number), { messages: content })], number.wabaId))
  return { body, forged: false, poisoned, items, receiver: random.int(0, 1) }
}

/** Meta may name a number by any id that it has had: late messages still have a former one. */
function anyId(random: Random, { phoneId, laterIds }: LabNumber): string {
  return random.pick([phoneId, ...laterIds])
}

function ghostOf(posted: PostedMessage) {
  const errors = [{ code: 131060, title: 'This message is currently unavailable.' }]
  return message({ ...commonOf(posted), type: 'unsupported', extra: { errors } })
}

function itemOf(posted: PostedMessage) {
  const { type, text } = posted
  if (text !== undefined) return message({ ...commonOf(posted), body: text })
  const reaction = { message_id: 'wamid.of-an-org', emoji: '+' }
  return message({ ...commonOf(posted), type, extra: { reaction } })
}

function commonOf({ wamid, person: { waId, userId }, hidden, at }: PostedMessage) {
  return { id: wamid, from: hidden ? '' : waId, at, ...(userId && { userId }) }
}
