/** Roles a token can carry (openapi.json, "Roles Allowed"); ADMIN may all that MEMBER may. */
export const ROLES = ['ADMIN', 'MEMBER'] as const
export type Role = (typeof ROLES)[number]

/** Who sent a request, as the verified token says. */
export type Caller = {
  userId: string
  role: Role
  /** The orgs the token covers: one, or for a partner several. */
  orgIds: readonly string[]
  partnerId: string | undefined
  /** Who really acts when `userId` is impersonated (RFC 8693: claim `act.sub`). */
  actorId: string | undefined
}

/** The caller as `events.actor` names it: `user:<id>`, `user:<id> as <impersonated user>` or `partner:<id>`. */
export function actorOf({ userId, partnerId, actorId }: Caller): string {
  const user = actorId === undefined ? `user:${userId}` : `user:${actorId} as ${userId}`
  if (partnerId === undefined) return user
  return actorId === undefined ? `partner:${partnerId}` : `partner:${partnerId} ${user}`
}
