import type { Db } from '../../../src/db/client.ts'
import { inTransaction } from '../../../src/db/transaction.ts'
import { personOf } from '../../../src/identity/aliases.ts'
import { resolveCustomers } from '../../../src/identity/resolve-customers.ts'
import { provision } from '../../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../../src/orgs/provision-file.ts'
import { createRoom, type TestOrg, type TestRoom } from '../org.ts'
import { seededRandom } from './random.ts'

/** A number of an org, as Meta's webhooks name it. */
export type CastNumber = { orgId: string; wabaId: string; phoneId: string }

/** A WhatsApp person; the same person writes to several orgs. Some have a BSUID and hide their phone at times. */
export type CastPerson = { waId: string; userId: string | undefined }

export type RoomState = 'active' | 'deactivated' | 'expired'

/** Who plays in a run: orgs, numbers, customers with chatrooms in every state. */
export type Cast = {
  numbers: CastNumber[]
  /** A number of an org that nobody provisioned yet: its deliveries are parked until `provisionLate`. */
  lateNumber: CastNumber
  /** They write often, to every number. */
  busy: CastPerson[]
  /** Each has only expired chatrooms, at one number. */
  gone: { person: CastPerson; number: CastNumber }[]
  /** The chatrooms made beforehand and the state each began in, by id. */
  rooms: Map<string, RoomState>
  provisionLate(): Promise<void>
}

export type CastOptions = {
  seed: number
  secretsKey: Buffer
  accessToken: string
  busy?: number
  gone?: number
  /** Some contacts expire, and some chatrooms fall asleep, at a random moment within this time. */
  lifecycleWithinMs?: number
}

const DAY_MS = 86_400_000
/** Of all orgs; the lifecycle's own borders are crossed by rooms that are almost as old as this. */
const DAYS = 30

const HOLD = { id: 'org-hold', wabaId: 'waba-hold', phones: ['phone-hold-1', 'phone-hold-2'] }
const CREATE = { id: 'org-create', wabaId: 'waba-create', phones: ['phone-create-1', 'phone-create-2'] }
const LATE = 'phone-late'
/** Chatrooms made at a time. */
const AT_ONCE = 6

type Room = Omit<TestRoom, 'phone' | 'customer'>

/**
 * Provisions two orgs (unknown senders are held by one, get a chatroom in the other; both auto-reply) and their
 * people. The same seed makes the same cast.
 */
export async function createCast(db: Db, options: CastOptions): Promise<Cast> {
  const { seed, busy = 100, gone = 120, lifecycleWithinMs = 120_000 } = options
  const random = seededRandom(seed)
  const now = Date.now()
  const ago = (ms: number) => new Date(now - ms)
  const soon = () => ago(DAYS * DAY_MS - random.int(0, lifecycleWithinMs))
  const long = (days: number) => ago(days * DAY_MS + random.int(0, DAY_MS / 2))
  const deactivated = (): Room => ({ createdAt: long(9), activatedAt: long(8), deactivatedAt: long(3) })
  const expired = (): Room => ({ createdAt: long(60), activatedAt: long(60), expiredAt: long(20) })
  const active = (): Room => ({ createdAt: long(9), activatedAt: long(8) })
  /** What a person has at a number, by place: nothing, or any mixture that the rules allow. */
  const mixtures: (() => Room[])[] = [
    () => [],
    () => [active()],
    () => [deactivated()],
    () => [deactivated(), deactivated()],
    () => [active(), deactivated(), expired()],
    () => [deactivated(), expired()],
    () => [{ ...active(), createdAt: soon(), contactCreatedAt: soon() }], // about to expire
    () => [{ createdAt: long(29), contactCreatedAt: long(2), activatedAt: soon() }], // about to fall asleep
  ]

  await provision(db, fileOf(options, [HOLD, CREATE]), options.secretsKey)
  const numbers = [HOLD, CREATE].flatMap(numbersOf)
  const people = Array.from({ length: busy }, (_, i) => personOfIndex(i))
  const rooms = new Map<string, RoomState>()
  const add = async (org: TestOrg, phone: string, person: CastPerson, room: Room) => {
    const { id } = await createRoom(db, org, { phone, customer: `+${person.waId}`, ...room })
    rooms.set(id, room.expiredAt ? 'expired' : room.deactivatedAt ? 'deactivated' : 'active')
  }
  const wishes: [TestOrg, string, CastPerson, Room][] = []
  for (const org of [HOLD, CREATE]) {
    for (const [p, phone] of org.phones.entries()) {
      for (const [i, person] of people.entries()) {
        for (const room of mixtures[(i + 3 * p) % mixtures.length]!()) wishes.push([org, phone, person, room])
      }
    }
    await registerUserIds(db, org.id, people)
  }
  const leavers = Array.from({ length: gone }, (_, i) => ({
    person: { waId: String(15_552_000_000 + i), userId: undefined },
    number: numbers[i % numbers.length]!,
  }))
  for (const { person, number } of leavers) {
    const org = number.orgId === HOLD.id ? HOLD : CREATE
    wishes.push([org, number.phoneId, person, expired()])
    if (random.chance(0.3)) wishes.push([org, number.phoneId, person, expired()])
  }
  while (wishes.length > 0) await Promise.all(wishes.splice(0, AT_ONCE).map((wish) => add(...wish)))
  const lateHold = { ...HOLD, phones: [...HOLD.phones, LATE] }
  return {
    numbers,
    lateNumber: { orgId: HOLD.id, wabaId: HOLD.wabaId, phoneId: LATE },
    busy: people,
    gone: leavers,
    rooms,
    provisionLate: async () => void (await provision(db, fileOf(options, [lateHold]), options.secretsKey)),
  }
}

function personOfIndex(i: number): CastPerson {
  return { waId: String(15_551_000_000 + i), userId: i % 3 === 0 ? `US.${1_000_000 + i}` : undefined }
}

function numbersOf({ id, wabaId, phones }: TestOrg): CastNumber[] {
  return phones.map((phoneId) => ({ orgId: id, wabaId, phoneId }))
}

function fileOf({ accessToken }: CastOptions, orgs: TestOrg[]) {
  return parseProvisionFile(
    JSON.stringify({
      orgs: orgs.map((org) => ({
        id: org.id,
        name: org.id,
        settings: {
          auto_reply_text: 'This chat is closed.',
          unknown_sender: org.id === CREATE.id ? 'create' : 'hold',
          expiry_days: DAYS,
          inactivity_days: DAYS,
        },
        wabas: [
          {
            id: org.wabaId,
            name: 'Main',
            access_token: accessToken,
            phones: org.phones.map((id) => ({ id, display_phone_number: `+1 ${id}` })),
          },
        ],
        users: ['ann', 'bob'].map((id) => ({ id, email: `${id}@${org.id}.test`, name: id })),
      })),
    }),
  )
}

/** Phone and BSUID are known to belong together before anybody writes under one of them alone. */
async function registerUserIds(db: Db, orgId: string, people: CastPerson[]): Promise<void> {
  const known = people.filter((person) => person.userId !== undefined)
  const senders = known.map(({ waId, userId }) =>
    personOf(orgId, { waId, userId, parentUserId: undefined, profileName: undefined }),
  )
  await inTransaction(db, (tx) => resolveCustomers(tx, senders))
}
