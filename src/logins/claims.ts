import type { OidcConfig } from '../config.ts'
import type { Role } from '../http/person.ts'
import { NAME } from './parse-users.ts'

/**
 * Which claims name a person, the role and the orgs. A dot leads into a claim: `resource_access.usher.roles`. Without `role`
 * only the users file gives roles; without `orgs`, whoever has a role by a claim may see all orgs.
 */
type ClaimNames = OidcConfig['claims']

/** Who logged in at the provider. `rights`: what the claims grant; undefined when they grant nothing. */
export type Identity = {
  name: string
  rights: { role: Role; orgs: string[] | undefined } | undefined
}

/**
 * Reads who somebody is from the claims of the provider. Undefined without a usable name: an e-mail address counts only if the
 * provider has verified it, because otherwise people could choose somebody else's.
 */
export function identityOf(claims: object, names: ClaimNames): Identity | undefined {
  const name = claimAt(claims, names.user)
  if (typeof name !== 'string' || !NAME.test(name)) return undefined
  if (names.user === 'email' && claimAt(claims, 'email_verified') !== true) return undefined
  const role = names.role === undefined ? undefined : roleIn(listAt(claims, names.role))
  const orgs = names.orgs === undefined ? ['*'] : listAt(claims, names.orgs)
  if (role === undefined || orgs.length === 0) return { name, rights: undefined }
  return { name, rights: { role, orgs: orgs.includes('*') ? undefined : orgs } }
}

function roleIn(words: string[]): Role | undefined {
  if (words.includes('operator')) return 'operator'
  return words.includes('viewer') ? 'viewer' : undefined
}

/** A claim by its whole name, which may be a URL with dots, or by the names on the way to it. */
function claimAt(claims: object, name: string): unknown {
  const whole = Object.entries(claims).find(([key]) => key === name)
  if (whole) return whole[1]
  const steps = name.split('.')
  return steps.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([key]) => key === step)?.[1]
        : undefined,
    claims,
  )
}

/** A claim that is a list of words, or a text with words and commas. */
function listAt(claims: object, name: string): string[] {
  const value = claimAt(claims, name)
  const words = typeof value === 'string' ? value.split(/[\s,]+/) : Array.isArray(value) ? value : []
  return words.filter((word): word is string => typeof word === 'string' && word !== '')
}
