import type { Db } from '../../../../src/db/client.ts'
import { inTransaction } from '../../../../src/db/transaction.ts'
import { personOf } from '../../../../src/identity/person.ts'
import { resolveCustomers } from '../../../../src/identity/resolve-customers.ts'
import { createRoom, type TestOrg } from '../../org.ts'
import type { RoomState } from '../checks/check-history.ts'
import { type Random, seededRandom } from '../random.ts'
import { CREATE, HOLD, type LabNumber, LEAVER, LEAVERS, numbersOf, ORGS } from './orgs.ts'
import { expiredRoom, type Room, roomMixtures } from './room-mixtures.ts'

/** A WhatsApp person; the same person writes to several orgs. Some have a BSUID and hide their phone at times. */
export type LabPerson = { waId: string; userId: string | undefined }

/** A customer who has only expired chatrooms, at one number. */
export type Returner = { person: LabPerson; number: LabNumber }

/** The numbers of a run, and the customers who write to them, with chatrooms in every state. */
export type Population = {
  numbers: LabNumber[]
  /** They write often, to every number. */
  regulars: LabPerson[]
  returners: Returner[]
  /** Customers known by phone only, each of whom attests it once, under a BSUID that nobody has seen. */
  attesters: Returner[]
  /** The chatrooms made beforehand and the state each began in, by id. */
  rooms: Map<string, RoomState>
}

export type PopulationOptions = {
  seed: number
  regulars?: number
  returners?: number
  attesters?: number
  /** Some contacts expire, and some chatrooms become inactive, at a random moment within this time. */
  lifecycleWithinMs?: number
}

/** How many chatrooms are made at the same time. */
const AT_ONCE = 6

type Wish = { org: TestOrg; phone: string; person: LabPerson; room: Room }

/** Creates the customers of the provisioned orgs and their chatrooms. The same seed makes the same population. */
export async function createPopulation(db: Db, options: PopulationOptions): Promise<Population> {
  const { seed, lifecycleWithinMs = 120_000 } = options
  const random = seededRandom(seed)
  const numbers = ORGS.flatMap(numbersOf)
  const regulars = Array.from({ length: options.regulars ?? 100 }, (_, i) => regular(i))
  const returners = Array.from({ length: options.returners ?? 120 }, (_, i) => returner(i, numbers))
  const attesters = Array.from({ length: options.attesters ?? 0 }, (_, i) => attester(i, numbers))
  const wishes = [
    ...attesters.map(({ person, number }) => ({
      org: orgOf(number),
      phone: number.phoneId,
      person,
      room: {},
    })),
    ...wishesOfRegulars(regulars, roomMixtures(random, lifecycleWithinMs)),
    ...wishesOfReturners(returners, random),
  ]
  for (const org of ORGS) await registerUserIds(db, org.id, regulars)
  const rooms = await createRooms(db, wishes)
  await assignLeavers(db)
  return { numbers, regulars, returners, attesters, rooms }
}

function regular(i: number): LabPerson {
  return { waId: String(15_551_000_000 + i), userId: i % 3 === 0 ? `US.${1_000_000 + i}` : undefined }
}

function returner(i: number, numbers: LabNumber[]): Returner {
  const person = { waId: String(15_552_000_000 + i), userId: undefined }
  return { person, number: numbers[i % numbers.length]! }
}

function attester(i: number, numbers: LabNumber[]): Returner {
  const person = { waId: String(15_557_000_000 + i), userId: undefined }
  return { person, number: numbers[i % numbers.length]! }
}

const orgOf = ({ orgId }: LabNumber) => (orgId === HOLD.id ? HOLD : CREATE)

/** Each regular has another mixture of chatrooms at each number. */
function wishesOfRegulars(regulars: LabPerson[], mixtures: (() => Room[])[]): Wish[] {
  return ORGS.flatMap((org) =>
    org.phones.flatMap((phone, p) =>
      regulars.flatMap((person, i) =>
        mixtures[(i + 3 * p) % mixtures.length]!().map((room) => ({ org, phone, person, room })),
      ),
    ),
  )
}

function wishesOfReturners(returners: Returner[], random: Random): Wish[] {
  return returners.flatMap(({ person, number }) => {
    const org = orgOf(number)
    const count = random.chance(0.3) ? 2 : 1
    return Array.from({ length: count }, () => ({
      org,
      phone: number.phoneId,
      person,
      room: expiredRoom(random),
    }))
  })
}

async function createRooms(db: Db, wishes: Wish[]): Promise<Map<string, RoomState>> {
  const rooms = new Map<string, RoomState>()
  const create = async ({ org, phone, person, room }: Wish) => {
    const { id } = await createRoom(db, org, { phone, customer: `+${person.waId}`, ...room })
    rooms.set(id, room.expiredAt ? 'expired' : room.deactivatedAt ? 'deactivated' : 'active')
  }
  for (let i = 0; i < wishes.length; i += AT_ONCE) await Promise.all(wishes.slice(i, i + AT_ONCE).map(create))
  return rooms
}

/** A third of the chatrooms have a user who leaves later, and a fifth are to be handed over to one. */
async function assignLeavers(db: Db): Promise<void> {
  await db.$client.query(
    `insert into chatroom_members (org_id, chatroom_id, user_id)
     select org_id, id, $1 || abs(hashtext(id::text)) % $2 from chatrooms where abs(hashtext(id::text)) % 3 = 0`,
    [LEAVER, LEAVERS],
  )
  await db.$client.query(
    `update chatrooms set pending_user_id = $1 || abs(hashtext(id::text)) % $2
     where abs(hashtext(id::text)) % 5 = 1`,
    [LEAVER, LEAVERS],
  )
}

/** Makes it known that phone and BSUID belong together before anybody writes under one of them alone. */
async function registerUserIds(db: Db, orgId: string, people: LabPerson[]): Promise<void> {
  const known = people.filter((person) => person.userId !== undefined)
  const senders = known.map(({ waId, userId }) =>
    personOf(orgId, { waId, userId, parentUserId: undefined, profileName: undefined }),
  )
  await inTransaction(db, (tx) => resolveCustomers(tx, senders))
}
