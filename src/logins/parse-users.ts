import type { Role } from '../http/person.ts'

/** A line of the users file. `orgs`: undefined for all; `password`: as `hashPassword` returned it, undefined for logins at a provider only. */
export type User = { name: string; role: Role; orgs: string[] | undefined; password: string | undefined }

/** The users by their names in lower case, and what is wrong with the file, each with its line; then nobody may log in. */
export type UsersFile = { users: Map<string, User>; mistakes: string[] }

/** Names, such as e-mail addresses, need no quotes in a line, and no escaping in a log. */
export const NAME = /^[\w.@+-]{1,100}$/

/** How `hashPassword` writes a password: the cost of scrypt, the salt and the hash, the last two in base64url. */
export const STORED_PASSWORD = /^\$scrypt\$ln=15,r=8,p=3\$([\w-]{22})\$([\w-]{43})$/

/** Reads a users file: a person in a line, `NAME ROLE ORGS PASSWORD`; empty lines and lines that begin with # are skipped. */
export function parseUsers(text: string): UsersFile {
  const users = new Map<string, User>()
  const mistakes: string[] = []
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const user = readUser(line.trim().split(/\s+/))
    if (typeof user === 'string') mistakes.push(`line ${i + 1}: ${user}`)
    else if (users.has(keyOf(user.name))) mistakes.push(`line ${i + 1}: the name is in an earlier line too`)
    else users.set(keyOf(user.name), user)
  }
  return { users, mistakes }
}

/** Names differ by more than upper and lower case. */
export function keyOf(name: string): string {
  return name.toLowerCase()
}

/** The user, or what is wrong with the line, without its content. */
function readUser(fields: string[]): User | string {
  const [name = '', role = '', orgs = '', password = ''] = fields
  if (fields.length !== 4) return 'must have four fields: NAME ROLE ORGS PASSWORD'
  if (!NAME.test(name)) return 'the name must consist of up to 100 letters, digits and . @ + - _'
  if (role !== 'viewer' && role !== 'operator') return 'the role must be viewer or operator'
  const ids = orgs === '*' ? undefined : readOrgs(orgs)
  if (ids === null)
    return 'the orgs must be *, or ids with commas between them, as npm run ops-user prints them'
  if (password !== '-' && !STORED_PASSWORD.test(password))
    return 'the password must be as npm run ops-user prints it, or -'
  return { name, role, orgs: ids, password: password === '-' ? undefined : password }
}

/** What an id of an org is, as the org file has it. */
const ORG = /^[^\p{Cc}/]{1,128}$/u

/** The field of a line for these orgs: a comma, a space or % in an id is percent-encoded. */
export function writeOrgs(ids: readonly string[]): string {
  return ids.map((id) => encodeURIComponent(id)).join(',')
}

/** Null when the field is wrong. */
function readOrgs(field: string): string[] | null {
  try {
    const ids = field.split(',').map((id) => decodeURIComponent(id))
    return ids.every((id) => ORG.test(id)) ? ids : null
  } catch {
    return null
  }
}
