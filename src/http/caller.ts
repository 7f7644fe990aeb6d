/** The roles a token can carry. ADMIN includes the rights of MEMBER. */
export const ROLES = ['ADMIN', 'MEMBER'] as const
export type Role = (typeof ROLES)[number]

/** Who sent a request, according to the verified token. */
export type Caller = {
  userId: string
  role: Role
  /** The orgs the token covers: one, or several for a partner. */
  orgIds: readonly string[]
  partnerId: string | undefined
  /** The user who acts as `userId`, when `userId` is impersonated (claim `act.sub`, RFC 8693). */
  actorId: string | undefined
}

/**
 * The caller as `events.actor` names it: `user:<id>`, `user:<actor> as <impersonated user>`, `partner:<id>`, or
 * `partner:<id>` followed by the impersonating user.
 */
export function actorOf({ userId, partnerId, actorId }: Caller): string {
  const user = actorId === undefined ? `user:${userId}` : `user:${actorId} as ${userId}`
  if (partnerId === undefined) return user
  return actorId === undefined ? `partner:${partnerId}` : `partner:${partnerId} ${user}`
}

/**
 * The ids in the token that name users of the org. The `sub` of a partner's token is a user of the partner, unless the
 * partner impersonates a user of the org.
 */
export function usersOf({ userId, partnerId, actorId }: Caller): string[] {
  if (partnerId !== undefined) return actorId === undefined ? [] : [userId]
  return actorId === undefined ? [userId] : [userId, actorId]
}
