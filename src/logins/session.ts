import { z } from 'zod'

/**
 * What a session says. `print`: a fingerprint of the password at that time, of somebody who logged in by password; a new
 * password ends the sessions that began with the former one. `rights`: what the claims of the provider granted to somebody
 * who is not in the users file; `orgs` is absent for all.
 */
export const sessionShape = z.object({
  name: z.string(),
  print: z.string().optional(),
  rights: z.object({ role: z.enum(['viewer', 'operator']), orgs: z.array(z.string()).optional() }).optional(),
})
export type Session = z.infer<typeof sessionShape>

/** The token of a new session, and for how many seconds it is valid. */
export type NewSession = { token: string; seconds: number }

const HOUR = 3_600

/** How long a session lasts: 12 hours; rights by claims are asked for again after an hour, because only the provider knows. */
export function secondsOf({ rights }: Session): number {
  return rights ? HOUR : 12 * HOUR
}
