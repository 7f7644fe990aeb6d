import { z } from 'zod'
import { instant } from '../input-fields.ts'
import { settingsSchema } from './settings.ts'

export const SettingsDto = settingsSchema.meta({ id: 'SettingsDto' })

export const UserDto = z
  .object({ id: z.string(), email: z.string(), name: z.string() })
  .meta({ id: 'OrgUserDto' })
export const GroupDto = z
  .object({ id: z.string(), name: z.string(), members: z.array(z.string()) })
  .meta({ id: 'OrgGroupDto' })
export const AffiliateDto = z
  .object({ crm_id: z.string(), phone: z.string(), remote_phone_id: z.string() })
  .meta({ id: 'AffiliateDto' })
export const NumberDto = z
  .object({
    id: z.string(),
    waba_id: z.string(),
    display_phone_number: z.string(),
    former_ids: z.array(z.string()).meta({ description: 'The ids of Meta that the number had before.' }),
    stopped_reason: z.string().nullable().meta({ description: 'Why Meta lets the number send nothing.' }),
  })
  .meta({ id: 'NumberDto' })
export const WabaDto = z
  .object({
    id: z.string(),
    name: z.string(),
    matrix_host_name: z.string().nullable(),
    has_access_token: z.boolean().meta({ description: 'The token itself is never shown.' }),
    phones: z.array(NumberDto),
  })
  .meta({ id: 'WabaDto' })
export const OrgDto = z
  .object({
    id: z.string(),
    name: z.string(),
    deleting_since: instant
      .nullable()
      .meta({ description: 'Since then the org is closed and being deleted.' }),
    settings: SettingsDto,
    wabas: z.array(WabaDto),
  })
  .meta({ id: 'OrgDto' })

const nextAfter = z
  .string()
  .nullable()
  .meta({ description: 'The `after` of the next page; null: this is the last one.' })

export const UserListDto = z
  .object({ users: z.array(UserDto), next_after: nextAfter })
  .meta({ id: 'OrgUserListDto' })
export const GroupListDto = z
  .object({ groups: z.array(GroupDto), next_after: nextAfter })
  .meta({ id: 'OrgGroupListDto' })
export const AffiliateListDto = z
  .object({ affiliates: z.array(AffiliateDto), next_after: nextAfter })
  .meta({ id: 'AffiliateListDto' })
export const WabaListDto = z.object({ wabas: z.array(WabaDto) }).meta({ id: 'WabaListDto' })
export const NumberListDto = z.object({ numbers: z.array(NumberDto) }).meta({ id: 'NumberListDto' })

/** A page of a list that is ordered by id. */
export const pageQuery = z.object({
  after: z.string().min(1).max(128).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
export type Page = z.infer<typeof pageQuery>
