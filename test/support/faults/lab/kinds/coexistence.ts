import type { Random } from '../../random.ts'
import { displayOf, type LabNumber } from '../orgs.ts'
import type { LoadMessage } from '../writer.ts'
import { itemOf, type Kind, type KindSource, real, secondsAgo, typed } from './kind.ts'

/** A number and a regular, whom these webhooks name by the phone alone. */
function pickTalk({ random, population }: KindSource) {
  const { waId } = random.pick(population.regulars)
  const number = random.pick(population.numbers)
  return { number, person: { waId, userId: undefined }, own: displayOf(number.phoneId) }
}

/** The company writes, edits or revokes from its Business App. */
export const echo: Kind = (source) => {
  const { random, writer } = source
  const { number, person, own } = pickTalk(source)
  const first = writer.keep(number, person, { direction: 'echo', aside: true })
  const type = random.pick(['edit', 'revoke'])
  const act = writer.keep(number, person, { direction: 'echo', aside: true, type, target: first.wamid })
  const names = { from: typed(random, own), to: typed(random, person.waId) }
  const message_echoes = [
    itemOf(first, names),
    itemOf(act, { ...names, [type]: { original_message_id: first.wamid } }),
  ]
  return [writer.packChange(number, 'smb_message_echoes', { message_echoes }, real(first, act))]
}

/** A thread of the history, in which the company's messages have no `to`. */
export const history: Kind = (source) => {
  const { random, writer } = source
  const { number, person, own } = pickTalk(source)
  const each = Array.from({ length: random.int(1, 4) }, () => {
    const isOwn = random.chance(0.5)
    const at = secondsAgo(random.int(3_600, 86_400 * 90))
    const message = writer.keep(number, person, { direction: isOwn ? 'echo' : 'in', aside: true, at })
    const history_context = { status: 'READ', ...(random.chance(0.3) && { from_me: isOwn }) }
    return { message, item: itemOf(message, { from: isOwn ? own : person.waId, history_context }) }
  })
  const value = historyOf(
    person.waId,
    each.map(({ item }) => item),
  )
  return [writer.packChange(number, 'history', value, real(...each.map(({ message }) => message)))]
}

/** A media placeholder of the history and its content, in either order. */
export const placeholder: Kind = (source) => {
  const { random, writer } = source
  const { number, person } = pickTalk(source)
  const message = writer.keep(number, person, { type: 'image', aside: true, at: secondsAgo(86_400) })
  const { ghost, content } = mediaOf(message, random)
  const first = writer.packChange(number, 'history', historyOf(person.waId, [ghost]), [
    { message, ghost: true },
  ])
  const second = writer.packChange(number, 'history', { messages: [content] }, real(message))
  return random.shuffled([first, second])
}

function mediaOf(message: LoadMessage, random: Random) {
  const from = message.person.waId
  return {
    ghost: itemOf({ ...message, type: 'media_placeholder' }, { from, history_context: { status: 'READ' } }),
    content: itemOf(message, { from, image: { id: String(random.int(1, 1e9)), mime_type: 'image/jpeg' } }),
  }
}

function historyOf(waId: string, messages: object[]) {
  return { history: [{ metadata: { phase: 0, chunk_order: 1 }, threads: [{ id: waId, messages }] }] }
}

/** The company writes to itself, from the same number or from another one of the org. */
export const ownNumber: Kind = ({ random, population, writer }) => {
  const number = random.pick(population.numbers)
  const mates = population.numbers.filter((other: LabNumber) => other.orgId === number.orgId)
  const waId = displayOf(random.pick(mates).phoneId)
  const message = writer.keep(number, { waId, userId: undefined }, { aside: true, nobody: true })
  const value = {
    contacts: [{ profile: { name: 'Acme' }, wa_id: waId }],
    messages: [itemOf(message, { from: typed(random, waId) })],
  }
  return [writer.packChange(number, 'messages', value, real(message))]
}
