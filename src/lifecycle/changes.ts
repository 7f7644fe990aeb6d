/** What a sweep changed, or would change, in one org. */
export type OrgChanges = {
  contactsExpired: number
  chatroomsExpired: number
  chatroomsDeactivated: number
}

/** Changes by org id; orgs without changes are absent. */
export type Changes = Map<string, OrgChanges>

const COUNTED_AS = {
  'contact.expired': 'contactsExpired',
  'chatroom.expired': 'chatroomsExpired',
  'chatroom.deactivated': 'chatroomsDeactivated',
} as const satisfies Record<string, keyof OrgChanges>

/** The kinds of the audit rows that sweeps write, one row for each change. */
export type ChangeKind = keyof typeof COUNTED_AS

const NOTHING: OrgChanges = { contactsExpired: 0, chatroomsExpired: 0, chatroomsDeactivated: 0 }

/** Counts one change of an org. */
export function countChange(changes: Changes, orgId: string, kind: ChangeKind): void {
  const counts = changes.get(orgId) ?? { ...NOTHING }
  counts[COUNTED_AS[kind]] += 1
  changes.set(orgId, counts)
}

/** The sum of what two sweeps changed. */
export function addChanges(one: Changes, other: Changes): Changes {
  const sum = new Map(one)
  for (const [orgId, more] of other) {
    const counts = sum.get(orgId) ?? NOTHING
    sum.set(orgId, {
      contactsExpired: counts.contactsExpired + more.contactsExpired,
      chatroomsExpired: counts.chatroomsExpired + more.chatroomsExpired,
      chatroomsDeactivated: counts.chatroomsDeactivated + more.chatroomsDeactivated,
    })
  }
  return sum
}
