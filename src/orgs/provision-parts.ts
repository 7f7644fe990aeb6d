import { z } from 'zod'
import { toE164 } from '../identity/e164.ts'
import { MAX_ID_LENGTH } from '../input-fields.ts'
import { TOKEN_PATTERN } from '../outbound/access-token.ts'
import { settingsChangeSchema } from './settings.ts'

/** An id that the CRM or Meta has given, as a path can carry it. */
export const partId = z
  .string()
  .min(1)
  .max(MAX_ID_LENGTH)
  .regex(/^[^\p{Cc}/]+$/u, 'must not contain slashes or control characters')
const name = z.string().min(1).max(256)
const e164 = z.string().transform((value, ctx) => {
  const phone = toE164(value)
  if (phone) return phone
  ctx.addIssue({ code: 'custom', message: 'is not a phone number in E.164 form (+ and digits)' })
  return z.NEVER
})

/**
 * The fields of the parts of an org, as the provision file and the provisioning API have them. A field that is left out is
 * kept; the verbs refuse a new part that lacks one.
 */
export const PARTS = {
  number: {
    replaces: partId.optional(),
    display_phone_number: z.string().min(1).max(64).optional(),
  },
  waba: {
    name: name.optional(),
    matrix_host_name: z.string().min(1).max(253).optional(),
    access_token: z.string().regex(TOKEN_PATTERN, 'must consist of visible ASCII characters').optional(),
  },
  user: { email: z.email().optional(), name: name.optional() },
  group: { name: name.optional(), members: z.array(partId).max(10_000).optional() },
  affiliate: { phone: e164, remote_phone_id: partId },
}

const number = z.strictObject({ id: partId, ...PARTS.number })
const waba = z.strictObject({ id: partId, ...PARTS.waba, phones: z.array(number).default([]) })
const user = z.strictObject({ id: partId, ...PARTS.user, removed: z.boolean().default(false) })

/** An org without its id: the body of the provisioning API, and an org of the file. */
export const ORG = {
  name: name.optional(),
  settings: settingsChangeSchema.optional(),
  wabas: z.array(waba).default([]),
  users: z.array(user).default([]),
  users_are_complete: z.boolean().default(false),
  groups: z.array(z.strictObject({ id: partId, ...PARTS.group })).default([]),
  affiliates: z
    .array(z.strictObject({ crm_id: z.string().min(1).max(MAX_ID_LENGTH), ...PARTS.affiliate }))
    .default([]),
}

export const orgSchema = z.strictObject({ id: partId, ...ORG })
type OrgOfFile = z.infer<typeof orgSchema>

type Fields<Shape extends z.core.$ZodShape> = { id: string } & z.infer<z.ZodObject<Shape>>
export type WantedUser = Fields<typeof PARTS.user>
export type WantedGroup = Fields<typeof PARTS.group>
export type WantedWaba = Fields<typeof PARTS.waba>
/** `wabaId`: undefined keeps the WABA. `position`: the place among the org's numbers; undefined keeps it, or is the last. */
export type WantedNumber = Fields<typeof PARTS.number> & {
  wabaId?: string | undefined
  position?: number | undefined
}
export type WantedAffiliate = z.infer<z.ZodObject<typeof PARTS.affiliate>> & { crm_id: string }

/** What is to be changed of an org; what is left out is kept. `leavers`: users to be removed. */
export type WantedOrg = {
  id: string
  name?: string | undefined
  settings?: OrgOfFile['settings']
  wabas?: WantedWaba[]
  numbers?: WantedNumber[]
  affiliates?: WantedAffiliate[]
  users?: WantedUser[]
  groups?: WantedGroup[]
  leavers?: string[]
  /** Users who are not among `users` leave. */
  usersAreComplete?: boolean
}

/** Takes an org of the file apart; a number's position is its place in the file. */
export function toWanted({ users_are_complete, wabas, users, ...org }: OrgOfFile): WantedOrg {
  const numbers = wabas.flatMap(({ id: wabaId, phones }) => phones.map((phone) => ({ ...phone, wabaId })))
  return {
    ...org,
    wabas: wabas.map(({ phones, ...waba }) => waba),
    numbers: numbers.map((one, position) => ({ ...one, position })),
    users: users.filter(({ removed }) => !removed),
    leavers: users.flatMap(({ id, removed }) => (removed ? [id] : [])),
    usersAreComplete: users_are_complete,
  }
}
