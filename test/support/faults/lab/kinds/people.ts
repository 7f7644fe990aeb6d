import { HOLD, type LabNumber } from '../orgs.ts'
import type { Writer } from '../writer.ts'
import { itemOf, type Kind, nextNumber, real, secondsAgo } from './kind.ts'

type Names = { waId: string; userId: string | undefined }

/** Messages of one person under several names, in one delivery: they must have one customer. */
function writeAll(writer: Writer, number: LabNumber, key: string, parts: Spoken[], contacts: object[] = []) {
  const written = parts.map(({ names, age = 0, type = 'text', keys = {} }) => {
    const { waId, userId } = names
    const how = { at: secondsAgo(age), type, hidden: waId === '' }
    const message = writer.keep(number, { ...names, key }, how)
    const ids = { ...(waId && { from: waId }), ...(userId && { from_user_id: userId }) }
    return { message, item: itemOf(message, { ...ids, ...keys }) }
  })
  const value = { contacts, messages: written.map(({ item }) => item) }
  return [writer.packChange(number, 'messages', value, real(...written.map(({ message }) => message)))]
}

type Spoken = { names: Names; age?: number; type?: string; keys?: object }

/** A customer changes the phone number, as each version of the API says it. */
export const changedNumber: Kind = ({ random, population, writer }) => {
  const [before, after] = [nextNumber('1554', 7), nextNumber('1556', 7)]
  const system = random.pick([
    { type: 'user_changed_number', wa_id: after },
    { type: 'customer_changed_number', new_wa_id: Number(after), customer: before },
    { type: 'customer_changed_number', new_wa_id: after },
  ])
  const old = { waId: before, userId: undefined }
  return writeAll(writer, random.pick(population.numbers), before, [
    { names: old, age: 20 },
    { names: old, age: 10, type: 'system', keys: { system } },
    { names: { waId: after, userId: undefined } },
  ])
}

/** A customer who shows no phone gets another BSUID. */
export const changedUserId: Kind = ({ random, population, writer }) => {
  const [before, after] = [nextNumber('US.7', 8), nextNumber('US.8', 8)]
  const system = { type: 'user_changed_user_id', previous_user_id: before, user_id: after }
  const old = { waId: '', userId: before }
  return writeAll(writer, random.pick(population.numbers), before, [
    { names: old, age: 20 },
    { names: old, age: 10, type: 'system', keys: { system } },
    { names: { waId: '', userId: after } },
  ])
}

/** A customer known by phone shows a BSUID alone, and answers a request for the phone. */
export const attested: Kind = (source) => {
  const { population, writer } = source
  const one = population.attesters.pop()
  if (one === undefined) return changedUserId(source)
  const { person, number } = one
  const names = { waId: '', userId: nextNumber('US.9', 8) }
  const phones = [{ phone: `+${person.waId}`, wa_id: person.waId, type: 'CELL' }]
  const contacts = [{ origin: 'contact_request', name: { formatted_name: 'A' }, phones }]
  return writeAll(writer, number, person.waId, [
    { names, age: 10, type: 'contacts', keys: { contacts } },
    { names },
    { names: person },
  ])
}

/**
 * A person writes by the phone alone, under a BSUID alone, and under both, in deliveries of any order that are routed at the
 * same time: two customers become one, or there was never more than one.
 */
export const merged: Kind = ({ random, population, writer }) => {
  const number = random.pick(population.numbers.filter(({ orgId }) => orgId === HOLD.id))
  const [waId, userId] = [nextNumber('1559', 7), nextNumber('US.6', 8)]
  const ways: Names[] = [
    { waId, userId: undefined },
    { waId: '', userId },
    { waId, userId },
  ]
  return random.shuffled(ways.flatMap((names) => writeAll(writer, number, waId, [{ names }])))
}

/** The only contact belongs to the only sender, though it spells the phone in another way. */
export const onlyContact: Kind = ({ random, population, writer }) => {
  const eight = nextNumber('8', 7)
  const [waId, userId] = [`5511${eight}`, nextNumber('BR.', 8)]
  const contacts = [{ profile: { name: 'Bia' }, wa_id: `55119${eight}`, user_id: userId }]
  const message = writer.keep(random.pick(population.numbers), { waId, userId })
  const messages = [itemOf(message, { from: waId })]
  return [writer.packChange(message.number, 'messages', { contacts, messages }, real(message))]
}
