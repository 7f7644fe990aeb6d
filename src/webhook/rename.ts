import { asText, type Json } from './fields.ts'
import { isNobody, type Names, namesOf, someone } from './names.ts'

/** A change of names: the names from now on, and the names that are the person's no more. */
export type Rename = { to: Names; givenUp: Names }

/** The person whom a `system` message is about, under the names until now. */
export type Renamed = Names & { rename?: Rename }

/** The security code changed: the person goes on under the same names. */
const SAME_NAMES = /identity_changed$/

/**
 * Reads the `system` messages of every version of the API (docs/meta.md#names-of-a-person). The names until now are
 * `from` or `system.customer`, `previous_user_id` and `previous_parent_user_id`; the names from now on are `new_wa_id` or
 * `wa_id`, `user_id` and `parent_user_id`. Where Meta names the new phone or id, the old one is given up. The body
 * is text of the user and is never read.
 * @throws Problem when the message names nobody
 */
export function readRename(message: Json, system: Json, contact: Json | undefined): Renamed {
  if (SAME_NAMES.test(asText(system.type) ?? '')) return someone(allNames(message, system, contact))
  const to = namesOf({
    phones: [system.new_wa_id, system.wa_id],
    userIds: [system.user_id],
    parents: [system.parent_user_id],
  })
  const before = namesBefore(message, system, to)
  if (isNobody(before)) return someone(isNobody(to) ? allNames(message, system, contact) : to)
  const givenUp = {
    waId: to.waId && before.waId,
    userId: (to.userId ?? asText(system.previous_user_id)) && before.userId,
    parentUserId: (to.parentUserId ?? asText(system.previous_parent_user_id)) && before.parentUserId,
  }
  return isNobody(to) && isNobody(givenUp) ? before : { ...before, rename: { to, givenUp } }
}

/** The names until now: a version of the API, and a message after the change, may put the new name into `from`. */
function namesBefore(message: Json, system: Json, to: Names): Names {
  const candidates = [
    {
      phones: [system.customer],
      userIds: [system.previous_user_id],
      parents: [system.previous_parent_user_id],
    },
    { phones: [message.from], userIds: [message.from_user_id], parents: [message.from_parent_user_id] },
    { phones: [system.wa_id], userIds: [], parents: [] },
  ].map(namesOf)
  const old = (kind: keyof Names) =>
    candidates.map((names) => names[kind]).find((name) => name !== undefined && name !== to[kind])
  return { waId: old('waId'), userId: old('userId'), parentUserId: old('parentUserId') }
}

function allNames(message: Json, system: Json, contact: Json | undefined): Names {
  return namesOf({
    phones: [message.from, system.customer, system.wa_id, contact?.wa_id],
    userIds: [message.from_user_id, system.user_id, contact?.user_id],
    parents: [message.from_parent_user_id, system.parent_user_id, contact?.parent_user_id],
  })
}
