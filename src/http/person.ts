import type { IncomingMessage } from 'node:http'
import { isDeepStrictEqual } from 'node:util'

/** A viewer sees everything and changes nothing; an operator may do everything. */
export type Role = 'viewer' | 'operator'

/** Who uses the internal listener. */
export type Person = {
  name: string
  role: Role
  /** The orgs whose data the person may see; undefined: all of them, and what belongs to the whole installation. */
  orgs: readonly string[] | undefined
  /** Logged in on the login page, so there is something to log out from. */
  hasSession: boolean
}

type Admission = {
  person: Person
  /** Looks again who it is; undefined when nobody may come in like this any more. */
  renew: () => Promise<Person | undefined>
}

const admissions = new WeakMap<IncomingMessage, Admission>()

/** Notes who makes a request. */
export function admit(req: IncomingMessage, admission: Admission): void {
  admissions.set(req, admission)
}

/** Who makes the request; undefined when nobody was admitted. */
export function personOf(req: IncomingMessage): Person | undefined {
  return admissions.get(req)?.person
}

/** The orgs whose data whoever makes the request may see; undefined: all of them. */
export function orgsOf(req: IncomingMessage): readonly string[] | undefined {
  const person = personOf(req)
  return person ? person.orgs : []
}

/** False when the person of a request that lasts may no longer come in, or has other rights by now. */
export async function isStillAdmitted(req: IncomingMessage): Promise<boolean> {
  const admission = admissions.get(req)
  return admission !== undefined && isDeepStrictEqual(await admission.renew(), admission.person)
}

/** The name of who makes the request, for the log and the audit. */
export function userOf(req: IncomingMessage): string | undefined {
  return personOf(req)?.name
}
