import fc from 'fast-check'
import { newWamid } from './webhooks.ts'

/**
 * A small world for the model test of identity: people write to three numbers of a company, change their phones, hide them
 * behind usernames, share cards, and get phones that others gave up. `playWorld` is pure: it makes of a scenario the
 * messages and the truth about who sent them. To add a kind of webhook, add a function to `KINDS`.
 */

/** So many acts, one a minute. */
export const ACTS = 50
export const PEOPLE = 4
/** The business portfolio of each number of the company: its WABA. */
export const PORTFOLIOS = [0, 0, 1]
const START = Date.now() - 2 * 3_600_000

const person = fc.record({
  /** The CRM has a contact with the first phone at each number. */
  known: fc.boolean(),
  startsWithoutPhone: fc.boolean(),
  hasParentId: fc.boolean(),
  /** From this minute on only the first number sees the phone, and not always. */
  usernameFrom: fc.integer({ min: 0, max: ACTS }),
  /** When the person changes the phone: to a second one, and back. */
  changes: fc
    .uniqueArray(fc.integer({ min: 2, max: ACTS - 2 }), { maxLength: 2 })
    .map((minutes) => minutes.sort((a, b) => a - b)),
  notice: fc.constantFrom<Notice>('old keys', 'June 2026', 'August 2026'),
  /** Meta reports a change to both portfolios, or to the first one only. */
  reportedTwice: fc.boolean(),
  /** Somebody else gets the phone: after a change that Meta reported, or silently, after the person left WhatsApp. */
  recycled: fc.constantFrom<'never' | 'after a notice' | 'silently'>(
    'never',
    'never',
    'after a notice',
    'silently',
  ),
  silentFrom: fc.integer({ min: 2, max: ACTS - 2 }),
})
const TEXTS: Kind[] = ['text', 'text', 'text', 'text', 'text']
const act = fc.record({
  who: fc.nat(PEOPLE - 1),
  number: fc.nat(PORTFOLIOS.length - 1),
  kind: fc.constantFrom<Kind>(
    ...TEXTS,
    'attested card',
    'forged card',
    'reaction',
    'names in contacts',
    'own number',
  ),
  hidden: fc.boolean(),
  copies: fc.integer({ min: 1, max: 2 }),
  /** A reaction names the message of this minute, or an unknown one. */
  target: fc.nat(ACTS * 2),
})
const ITEMS = ACTS * 2 + PEOPLE * 4

export const scenario = fc.record({
  people: fc.array(person, { minLength: PEOPLE, maxLength: PEOPLE }),
  acts: fc.array(act, { minLength: ACTS, maxLength: ACTS }),
  /** Undefined: the deliveries come in the order of time. */
  shuffle: fc.option(fc.array(fc.nat(), { minLength: ITEMS, maxLength: ITEMS }), { nil: undefined, freq: 4 }),
  batch: fc.integer({ min: 1, max: 9 }),
})
export type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never
type Person = Scenario['people'][number]
type Act = Scenario['acts'][number]

type Notice = 'old keys' | 'June 2026' | 'August 2026'
type Kind = 'text' | 'attested card' | 'forged card' | 'reaction' | 'names in contacts' | 'own number'
type Names = { phone?: string | undefined; userId?: string | undefined; parentId?: string | undefined }

/** One message of the world. */
export type Item = {
  /** The person, or who got the person's phone after them. */
  who: string
  number: number
  wamid: string
  at: Date
  /** The names that this message shows to be one person's, as `nameKey` writes them. */
  shows: string[]
  message: Record<string, unknown>
  /** The BSUIDs in it. */
  userIds: string[]
  /** `contacts[]`, where it is not made of the message. */
  contacts?: object[]
}

/** The `who` of a message that is of no customer. */
export const NOBODY = 'nobody'
/** What the company's numbers are called; two of them write to each other. */
export const OWN_NUMBERS = PORTFOLIOS.map((_, number) => `1999000000${number}`)

/** The phone that a person has in an era; the CRM knows the first one. */
export const phoneOf = (who: number, era = 0) => `1555${who}${era === 1 ? 2 : 1}00000`

/** A name in the hands of somebody. A phone that was given up is, in other hands, another name. */
const nameKey = (holder: string, name: string) => `${name} of ${holder}`

/** What a person is called at a portfolio in an era. A phone that changes brings a new BSUID and a new parent id. */
function namesIn(who: number, p: Person, era: number, portfolio: number): Required<Names> {
  const parentId = p.hasParentId ? `US.ENT.${who}${era}` : undefined
  return { phone: phoneOf(who, era), userId: `US.${portfolio}${who}${era}`, parentId }
}

/** One message under these names; `names` of a holder are what it proves. */
function itemOf(
  who: string,
  number: number,
  at: Date,
  names: Names,
  { holder = who, shows = names, content = TEXT }: { holder?: string; shows?: Names; content?: object } = {},
): Item {
  const wamid = newWamid()
  const message = {
    ...(names.phone && { from: names.phone }),
    ...(names.userId && { from_user_id: names.userId }),
    ...(names.parentId && { from_parent_user_id: names.parentId }),
    id: wamid,
    timestamp: String(at.getTime() / 1000),
    ...content,
  }
  const userIds = names.userId ? [names.userId] : []
  return { who, number, wamid, at, shows: keysOf(holder, shows), message, userIds }
}

const TEXT = { type: 'text', text: { body: 'hello' } }

function keysOf(holder: string, { phone, userId, parentId }: Names): string[] {
  return [phone, userId, parentId].filter((name) => name !== undefined).map((name) => nameKey(holder, name))
}

type Situation = {
  p: Person
  at: Date
  minute: number
  act: Act
  names: Required<Names>
  /** The message of each minute so far. */
  before: Item[]
}

const card = (phone: string, origin: string) => ({
  type: 'contacts',
  contacts: [{ name: { formatted_name: 'X' }, phones: [{ phone: `+${phone}`, wa_id: phone }], origin }],
})

/** How a person acts, by the kind of the act. */
const KINDS: Record<Kind, (s: Situation) => Item> = {
  text: ({ p, at, minute, act: { who, number, hidden }, names }) => {
    const noPhone =
      (minute >= p.usernameFrom && (number !== 0 || hidden)) || (p.startsWithoutPhone && minute < 5)
    return itemOf(`${who}`, number, at, { ...names, phone: noPhone ? undefined : names.phone })
  },
  /** Meta attests the phone. After a change of phones it may say nothing new, so that the card proves nothing. */
  'attested card': (s) => {
    const {
      p,
      at,
      act: { who, number },
      names,
    } = s
    if (p.changes.length > 0) return KINDS.text(s)
    const content = card(names.phone ?? '', 'contact_request')
    return itemOf(`${who}`, number, at, { ...names, phone: undefined }, { shows: names, content })
  },
  /** A reaction belongs to its target, or is routed as a message; either way it is of its sender. */
  reaction: (s) => {
    const item = KINDS.text(s)
    const reaction = { message_id: s.before[s.act.target]?.wamid ?? 'wamid.UNKNOWN', emoji: '👍' }
    return { ...item, message: { ...item.message, type: 'reaction', text: undefined, reaction } }
  },
  /** The only contact is the sender, also if it spells the phone in another way and alone has the ids. */
  'names in contacts': (s) => {
    const { message, ...item } = KINDS.text(s)
    const { from, from_user_id: user_id, from_parent_user_id: parent_user_id, ...content } = message
    const contact = { ...(from !== undefined && { wa_id: `+${from}` }), user_id, parent_user_id }
    const names = from === undefined ? { from_user_id: user_id } : { from }
    return { ...item, message: { ...content, ...names }, contacts: [contact] }
  },
  /** A number of the company is nobody's customer. */
  'own number': ({ at, act: { number, target } }) =>
    itemOf(NOBODY, number, at, { phone: OWN_NUMBERS[target % OWN_NUMBERS.length] }, { shows: {} }),
  /** A card of somebody else proves nothing. */
  'forged card': ({ at, act: { who, number }, names }) => {
    const content = card(phoneOf((who + 1) % PEOPLE), 'other')
    return itemOf(`${who}`, number, at, { ...names, phone: undefined }, { content })
  },
}

/** The messages of a scenario, in the order of time, each as often as Meta delivers it. */
export function playWorld({ people, acts }: Scenario): Item[] {
  const before: Item[] = []
  const items = acts.flatMap((one, minute) => {
    const p = people[one.who]!
    const item = otherHolder(p, one, minute) ?? ownAct(p, one, minute, before)
    before.push(item)
    return Array.from({ length: one.copies }, () => item)
  })
  const notices = people.flatMap((p, who) => p.changes.flatMap((_, change) => noticesOf(who, p, change)))
  return [...items, ...notices].sort((a, b) => a.at.getTime() - b.at.getTime())
}

const atMinute = (minute: number, seconds = 0) =>
  new Date((Math.floor(START / 1000) + minute * 60 + seconds) * 1000)
const eraAt = (p: Person, minute: number) => p.changes.filter((change) => change <= minute).length

function ownAct(p: Person, one: Act, minute: number, before: Item[]): Item {
  const names = namesIn(one.who, p, eraAt(p, minute), PORTFOLIOS[one.number] ?? 0)
  return KINDS[one.kind]({ p, at: atMinute(minute), minute, act: one, names, before })
}

/** The act of somebody else who has the person's first phone by then. */
function otherHolder(p: Person, { who, number }: Act, minute: number): Item | undefined {
  const names = { phone: phoneOf(who), userId: `US.9${PORTFOLIOS[number]}${who}` }
  const at = atMinute(minute)
  const [change] = p.changes
  if (isRecycledAfterNotice(p) && change !== undefined && minute > change && minute % 3 === 0) {
    return itemOf(`new holder ${who}`, number, at, names)
  }
  // Meta does not report this, so the phone goes on leading to the same customer.
  if (isSilent(p) && minute >= p.silentFrom) return itemOf(`${who}`, number, at, names)
  return undefined
}

/** True for a person whose phone, given up by Meta's word and for good, goes to somebody else. */
export const isRecycledAfterNotice = (p: Person) =>
  p.recycled === 'after a notice' &&
  p.changes.length === 1 &&
  (p.notice !== 'August 2026' || p.usernameFrom > ACTS)

/** True for a person whose phone goes to somebody else without a word of Meta. */
export const isSilent = (p: Person) => p.recycled === 'silently' && p.changes.length === 0

/** What Meta reports of a change to the first number, and perhaps to the one of the other portfolio. */
function noticesOf(who: number, p: Person, change: number): Item[] {
  const minute = p.changes[change] ?? 0
  return (p.reportedTwice ? [0, 2] : [0]).map((number) => {
    const portfolio = PORTFOLIOS[number] ?? 0
    const [old, next] = [change, change + 1].map((era) => namesIn(who, p, era, portfolio)) as [
      Required<Names>,
      Required<Names>,
    ]
    const isHidden = minute >= p.usernameFrom && number !== 0
    const { from, system, shows } = NOTICES[p.notice](old, next, isHidden)
    const at = atMinute(minute, 30 + number)
    const content = { type: 'system', system }
    const item = itemOf(`${who}`, number, at, { phone: from }, { content })
    const { user_id: userId } = system as { user_id?: string }
    return {
      ...item,
      userIds: userId === undefined ? [] : [userId],
      contacts: [],
      shows: shows.flatMap((names) => keysOf(`${who}`, names)),
    }
  })
}

type Report = { from: string | undefined; system: object; shows: Names[] }

const NOTICES: Record<Notice, (old: Required<Names>, next: Required<Names>, isHidden: boolean) => Report> = {
  'old keys': ({ phone: old }, { phone }) => ({
    from: old,
    system: { type: 'customer_changed_number', customer: `+${old}`, new_wa_id: Number(phone) },
    shows: [{ phone: old }, { phone }],
  }),
  'June 2026': ({ phone: old }, { phone, userId }) => ({
    from: old,
    system: { type: 'user_changed_number', wa_id: phone, user_id: userId },
    shows: [{ phone: old }, { phone, userId }],
  }),
  'August 2026': (old, next, isHidden) => {
    const system = {
      user_id: next.userId,
      previous_user_id: old.userId,
      parent_user_id: next.parentId,
      previous_parent_user_id: old.parentId,
    }
    const [before, after] = [old, next].map((names) => (isHidden ? { ...names, phone: undefined } : names))
    if (isHidden) {
      return {
        from: undefined,
        system: { type: 'user_changed_user_id', ...system },
        shows: [before!, after!],
      }
    }
    return {
      from: old.phone,
      system: { type: 'user_changed_number', wa_id: next.phone, ...system },
      shows: [old, next],
    }
  },
}

/**
 * The order in which the items are delivered. Whoever gets a phone that was given up writes after Meta has reported it:
 * phones are given to others weeks later.
 */
export function orderOf({ shuffle, people }: Scenario, items: Item[]): Item[] {
  if (!shuffle) return items
  const order = items
    .map((item, i) => ({ item, key: shuffle[i] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
  const late = people.flatMap((p, who) => (isRecycledAfterNotice(p) ? [`new holder ${who}`] : []))
  const isLate = ({ who }: Item) => late.includes(who)
  return [...order.filter((item) => !isLate(item)), ...order.filter(isLate)]
}

/** Which messages the names that were shown together prove to be of one person: union-find over names. */
export function componentsOf(items: Item[]): Map<string, string> {
  const parent = new Map<string, string>()
  const root = (x: string): string => {
    const up = parent.get(x) ?? x
    return up === x ? x : root(up)
  }
  for (const { shows } of items) for (const name of shows) parent.set(root(name), root(shows[0] ?? name))
  return new Map(items.map(({ wamid, shows }) => [wamid, root(shows[0] ?? '')]))
}
