import { z } from 'zod'
import { queryPhone } from '../identity/query-phone.ts'
import { foreignId, instant, MAX_ID_LENGTH } from '../input-fields.ts'

// Names, bounds and patterns of the schemas are those of the original API.

const text = z.string().min(0).max(MAX_ID_LENGTH)
const personName = text.regex(/^(?!.*\*).*$/, 'must not hold an asterisk or a line break')

const SECONDS = /^\d{1,12}$/
const END_OF_9999 = Date.UTC(10_000, 0)

/** ISO 8601 date-time with an offset, or epoch seconds as a number or in digits; 1970 to 9999. */
const optInDate = z
  .union([z.int(), z.string().regex(SECONDS), z.iso.datetime({ offset: true })], {
    error: 'must be an ISO 8601 date-time with an offset, or epoch seconds',
  })
  .transform((value) => {
    const isSeconds = typeof value === 'number' || SECONDS.test(value)
    return new Date(isSeconds ? Number(value) * 1000 : value)
  })
  .refine((at) => at.getTime() >= 0 && at.getTime() < END_OF_9999, {
    error: 'must lie between the years 1970 and 9999; epochs are in seconds',
  })
  .meta({ type: 'string', format: 'date-time', description: 'epoch in seconds' })

/** A phone number in the JSON form of libphonenumber. */
export const PhoneNumber = z
  .strictObject({
    extension: z.string().optional(),
    countryCode: z.int().meta({ format: 'int32' }).optional(),
    nationalNumber: z.int().meta({ format: 'int64' }).optional(),
    italianLeadingZero: z.boolean().optional(),
    rawInput: z.string().optional(),
    preferredDomesticCarrierCode: z.string().optional(),
    countryCodeSource: z
      .enum([
        'FROM_NUMBER_WITH_PLUS_SIGN',
        'FROM_NUMBER_WITH_IDD',
        'FROM_NUMBER_WITHOUT_PLUS_SIGN',
        'FROM_DEFAULT_COUNTRY',
        'UNSPECIFIED',
      ])
      .optional(),
    numberOfLeadingZeros: z.int().meta({ format: 'int32' }).optional(),
  })
  .meta({ id: 'PhoneNumber', description: 'e164 format' })

export const ContactReqDto = z
  .strictObject({
    crm_id: text,
    phone_number: PhoneNumber,
    opt_in_date: optInDate,
    first_name: personName.optional(),
    last_name: personName.optional(),
    governance_level_id: text.optional(),
    is_inbound: z.boolean().optional(),
    source: z.enum(['BTRIX', 'CAMPAIGN']).optional(),
  })
  .meta({ id: 'ContactReqDto' })
export type ContactReq = z.output<typeof ContactReqDto>

export const UpdateContactReqDto = z
  .strictObject({ crm_id: text, first_name: personName.optional(), last_name: personName.optional() })
  .meta({ id: 'UpdateContactReqDto' })
export type UpdateContactReq = z.output<typeof UpdateContactReqDto>

export const UpdateContactDispositionReqV2Dto = z
  .strictObject({
    additionalFields: z
      .record(z.string(), z.looseObject({}))
      .meta({ type: 'object', additionalProperties: { type: 'object' } })
      .optional(),
    stage: z.string(),
    disposition: z.string().optional(),
  })
  .meta({ id: 'UpdateContactDispositionReqV2Dto' })
export type UpdateDispositionReq = z.output<typeof UpdateContactDispositionReqV2Dto>

const epoch = instant.meta({ description: 'epoch in seconds' })

const contact = {
  id: z.string().optional(),
  crm_id: z.string().optional(),
  opt_in_date: epoch.optional(),
  create_date: epoch.optional(),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  is_expired: z.boolean().optional(),
}

const GovernanceLevelDto = z
  .strictObject({ id: z.string().optional(), name: z.string().optional() })
  .meta({ id: 'GovernanceLevelDto' })

export const ContactRespDto = z
  .strictObject({ ...contact, governance_level: GovernanceLevelDto.optional() })
  .meta({ id: 'ContactRespDto' })

export const GetContactRespDto = z
  .strictObject({ ...contact, expiry_ts: instant.optional() })
  .meta({ id: 'GetContactRespDto' })

/** The customer asked for: by phone, in any spelling, or by Meta's business-scoped id. */
export const customerQuery = z
  .strictObject({ phone: queryPhone.optional(), user_id: foreignId.optional() })
  .refine((q) => (q.phone === undefined) !== (q.user_id === undefined), {
    path: ['phone'],
    error: 'or user_id is required, and not both',
  })

/** A customer: all names that Meta and the CRM have for one person, and the customer's contacts. */
export const CustomerDto = z
  .strictObject({
    customer_id: z.string(),
    profile_name: z.string().nullable(),
    opted_out_at: instant
      .nullable()
      .meta({ description: 'since then the customer wants no marketing messages' }),
    aliases: z.array(
      z.strictObject({
        kind: z.enum(['phone', 'wa_id', 'bsuid', 'parent_bsuid']),
        value: z.string(),
        since: instant,
        given_up_at: instant.optional().meta({
          description: 'as WhatsApp announced: a later message under this name is of somebody else',
        }),
      }),
    ),
    contacts: z.array(GetContactRespDto),
  })
  .meta({ id: 'CustomerDto' })
