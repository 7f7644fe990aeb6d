import { z } from 'zod'
import { toE164 } from '../identity/e164.ts'
import { TOKEN_PATTERN } from '../outbound/access-token.ts'
import { numberMistakes, repeated } from './number-change.ts'
import { settingsChangeSchema } from './settings.ts'

const id = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\p{Cc}/]+$/u, 'must not contain slashes or control characters')
const name = z.string().min(1).max(256)

const phone = z.strictObject({
  id,
  replaces: id.optional(),
  display_phone_number: z.string().min(1).max(64),
})
const waba = z.strictObject({
  id,
  name,
  matrix_host_name: z.string().min(1).max(253).optional(),
  access_token: z.string().regex(TOKEN_PATTERN, 'must consist of visible ASCII characters').optional(),
  phones: z.array(phone).default([]),
})
const affiliate = z.strictObject({
  crm_id: z.string().min(1).max(128),
  phone: z.string().transform((value, ctx) => {
    const e164 = toE164(value)
    if (e164) return e164
    ctx.addIssue({ code: 'custom', message: 'is not a phone number in E.164 form (+ and digits)' })
    return z.NEVER
  }),
  remote_phone_id: id,
})
/** A removed user needs no e-mail address and no name. */
const user = z
  .strictObject({
    id,
    email: z.email().optional(),
    name: name.optional(),
    removed: z.boolean().default(false),
  })
  .transform(({ id, email, name, removed }, ctx) => {
    if (removed) return { id, removed }
    if (email !== undefined && name !== undefined) return { id, email, name, removed }
    const path = [email === undefined ? 'email' : 'name']
    ctx.addIssue({ code: 'custom', path, message: 'is required, unless the user is removed' })
    return z.NEVER
  })
const org = z.strictObject({
  id,
  name,
  settings: settingsChangeSchema.optional(),
  wabas: z.array(waba).default([]),
  users: z.array(user).default([]),
  users_are_complete: z.boolean().default(false),
  groups: z.array(z.strictObject({ id, name, members: z.array(id).optional() })).default([]),
  affiliates: z.array(affiliate).default([]),
})

const fileSchema = z.strictObject({ orgs: z.array(org).min(1) }).superRefine((file, ctx) => {
  for (const message of givenTwice('org', idsOf(file.orgs)))
    ctx.addIssue({ code: 'custom', path: ['orgs'], message })
  for (const [i, entry] of file.orgs.entries()) {
    const mistakes = [...duplicates(entry), ...unknownReferences(entry)]
    for (const message of mistakes) ctx.addIssue({ code: 'custom', path: ['orgs', i], message })
  }
})
export type ProvisionFile = z.infer<typeof fileSchema>
export type ProvisionOrg = ProvisionFile['orgs'][number]

/** Thrown for a provision file that cannot be applied. The message has one line for each mistake. */
export class ProvisionError extends Error {
  override name = 'ProvisionError'
}

/**
 * Parses and validates the text of a provision file.
 * @throws ProvisionError that names every mistake with its place in the file
 */
export function parseProvisionFile(text: string): ProvisionFile {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new ProvisionError(`the file is not JSON: ${error instanceof Error ? error.message : error}`)
  }
  const parsed = fileSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map((i) => `  ${i.path.join('.') || 'file'}: ${i.message}`)
  throw new ProvisionError(`the file cannot be applied:\n${lines.join('\n')}`)
}

/** The later entry of two with one id would win without a word. */
function duplicates(org: ProvisionOrg): string[] {
  return [
    ...numberMistakes(org.wabas.flatMap((w) => w.phones)),
    ...givenTwice('WABA', idsOf(org.wabas)),
    ...givenTwice('user', idsOf(org.users)),
    ...givenTwice('group', idsOf(org.groups)),
    ...givenTwice(
      'affiliate',
      org.affiliates.map((affiliate) => affiliate.crm_id),
    ),
  ]
}

function idsOf(entries: { id: string }[]): string[] {
  return entries.map(({ id }) => id)
}

function givenTwice(what: string, ids: string[]): string[] {
  return repeated(ids).map((id) => `the ${what} ${id} is given twice`)
}

/** Members, the delegate and affiliates may refer only to users, groups and numbers of the same org in this file. */
function unknownReferences(org: ProvisionOrg): string[] {
  const users = new Set(org.users.flatMap((u) => (u.removed ? [] : [u.id])))
  const groups = new Set(org.groups.map((g) => g.id))
  const phones = new Set(org.wabas.flatMap((w) => w.phones.flatMap((p) => [p.id, p.replaces])))
  const messages = org.groups.flatMap((g) =>
    (g.members ?? [])
      .filter((m) => !users.has(m))
      .map((m) => `group ${g.id} has the unknown or removed member ${m}`),
  )
  const { delegate } = org.settings ?? {}
  if (delegate && 'user_id' in delegate && !users.has(delegate.user_id))
    messages.push('delegate.user_id is unknown or removed')
  if (delegate && 'group_id' in delegate && !groups.has(delegate.group_id)) {
    messages.push('delegate.group_id is unknown')
  }
  if (org.users_are_complete && users.size === 0) messages.push('users_are_complete needs users')
  for (const a of org.affiliates) {
    if (!phones.has(a.remote_phone_id)) messages.push(`affiliate ${a.crm_id} names an unknown number`)
  }
  return messages
}
