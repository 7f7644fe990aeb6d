import { LIFECYCLE_DAYS } from '../orgs.ts'
import { itemOf, type Kind, real, secondsAgo } from './kind.ts'

/** A customer writes, and reacts to the message, edits or revokes it. */
export const act: Kind = ({ random, population, writer }) => {
  const [number, { waId, userId }] = [random.pick(population.numbers), random.pick(population.regulars)]
  const names = { from: waId, ...(userId && { from_user_id: userId }) }
  const first = writer.keep(number, { waId, userId })
  const type = random.pick(['reaction', 'edit', 'revoke'])
  const second = writer.keep(number, { waId, userId }, { type, target: first.wamid })
  const named =
    type === 'reaction' ? { message_id: first.wamid, emoji: '+' } : { original_message_id: first.wamid }
  const messages = [itemOf(first, names), itemOf(second, { ...names, [type]: named })]
  return [writer.packChange(number, 'messages', { messages }, real(first, second))]
}

/** Meta delivers a message hours late, or when its own inactivity period is over. */
export const late: Kind = ({ random, population, writer }) => {
  const [number, { waId, userId }] = [random.pick(population.numbers), random.pick(population.regulars)]
  const hours = random.chance(0.3) ? 24 * LIFECYCLE_DAYS + random.int(1, 48) : random.int(1, 20)
  const message = writer.keep(number, { waId, userId }, { at: secondsAgo(hours * 3_600) })
  const item = itemOf(message, { from: waId, ...(userId && { from_user_id: userId }) })
  return [writer.packChange(number, 'messages', { messages: [item] }, real(message))]
}
