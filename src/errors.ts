/**
 * The registry of all errors the API answers: `error_code` = HTTP status x 10,000 + n. FORBIDDEN and
 * UQ_CONSTRAINT_FAILED have the codes of the original API. Codes are never reused.
 */
export const ERRORS = {
  BAD_REQUEST: [4000001, 'The request cannot be understood.'],
  UNKNOWN_CHATROOM: [4000002, 'There is no chatroom with this id in this org.'],
  CHATROOM_IS_EXPIRED: [4000003, 'The chatroom is expired, and expiry is final.'],
  OTHER_CHATROOM_IS_ACTIVE: [4000004, 'Another chatroom of this customer is active at this WABA phone.'],
  EXPIRED_CONTACT: [4000005, 'The contact is expired, and expiry is final.'],
  CRM_ID_IS_TAKEN: [4000006, 'Another contact of this org has this crm_id.'],
  UNAUTHORIZED: [4010001, 'A valid bearer token is required.'],
  TOKEN_EXPIRED: [4010002, 'The token has expired.'],
  FORBIDDEN: [4030001, 'The token does not permit this in this org.'],
  ORG_IS_BEING_DELETED: [4030002, 'The org is being deleted.'],
  NOT_FOUND: [4040001, 'There is no resource at this address.'],
  CONTACT_NOT_FOUND: [4040002, 'There is no contact with this id in this org.'],
  CHATROOM_NOT_FOUND: [4040003, 'There is no chatroom with this id in this org.'],
  WABA_NOT_FOUND: [4040004, 'There is no WABA with this id in this org.'],
  WABA_PHONE_NOT_FOUND: [4040005, 'There is no WABA phone with this id in this org.'],
  USER_NOT_FOUND: [4040006, 'There is no user with this id in this org.'],
  GROUP_NOT_FOUND: [4040007, 'There is no group with this id in this org, or it has no members.'],
  DELEGATE_NOT_FOUND: [4040008, 'The org has no delegate.'],
  WABA_MAPPING_NOT_FOUND: [4040009, 'The contact has no WABA mapping.'],
  NO_WABA_PHONE_AVAILABLE: [4040010, 'The org has no WABA phone that is available for this customer.'],
  CUSTOMER_NOT_FOUND: [4040011, 'No customer of this org has this phone or user_id.'],
  MESSAGE_NOT_FOUND: [
    4040012,
    'The chatroom has no message with this id that Usher sent within the last 30 days.',
  ],
  WEBHOOK_ENDPOINT_NOT_FOUND: [4040013, 'There is no webhook endpoint with this id in this org.'],
  ERASURE_NOT_FOUND: [4040020, 'There is no erasure with this id in this org.'],
  UQ_CONSTRAINT_FAILED: [4090001, 'An entry with these values already exists.'],
  ACTIVE_CHATROOM_EXISTS: [4090002, 'An active chatroom exists for this phone number.'],
  AFFILIATE_PHONE: [4090003, 'The phone number belongs to an affiliate, who has exactly one contact.'],
  IDEMPOTENCY_KEY_REUSED: [4090004, 'The Idempotency-Key was used with a different request.'],
  CONTACT_IS_EXPIRED: [4090005, 'The contact is expired, and expiry is final.'],
  IDEMPOTENCY_KEY_IN_USE: [4090006, 'An earlier request with this Idempotency-Key is still being processed.'],
  CHATROOM_IS_DEACTIVATED: [4090010, 'Only campaign messages may be sent to a deactivated chatroom.'],
  CHATROOM_IS_EXPIRED_FOR_SENDING: [4090011, 'Nothing may be sent to an expired chatroom.'],
  OUTSIDE_WINDOW: [
    4090012,
    'The customer has neither written nor called within the last 24 hours, so WhatsApp accepts only templates.',
  ],
  CUSTOMER_OPTED_OUT: [4090013, 'The customer has stopped marketing messages, so no campaign may write.'],
  MARKETING_PAUSED: [
    4090014,
    'Meta limits marketing messages to this customer (error 131049), so no campaign may write for 24 hours.',
  ],
  MESSAGE_DID_NOT_FAIL: [
    4090020,
    'Only a message that failed, or whose outcome is unknown, can be sent again.',
  ],
  OUTCOME_IS_UNKNOWN: [
    4090021,
    'Nobody knows whether the customer has this message. Confirm that they may get it twice: {"confirm": true}.',
  ],
  TOO_MANY_WEBHOOK_ENDPOINTS: [4090030, 'The org has 10 webhook endpoints, which is the most.'],
  REPLAY_IS_RUNNING: [4090031, 'A replay of a period is running for this webhook endpoint.'],
  BELONGS_TO_OTHER_ORG: [4090040, 'This WABA or number belongs to another org.'],
  NUMBER_CANNOT_REPLACE: [4090041, 'The number cannot replace the other one.'],
  IS_IN_USE: [4090042, 'Something belongs to this, so it cannot be removed.'],
  EVENTS_ARE_GONE: [4100001, 'Events behind this cursor are not kept any more.'],
  INVALID_INPUT: [4220001, 'Required fields are missing or have invalid values.'],
  INVALID_PHONE_NUMBER: [4220002, 'The phone number is not a possible number in E.164 form.'],
  WEBHOOK_URL_REFUSED: [4220003, 'Events cannot be posted to this URL.'],
  NAME_NOT_CONFIRMED: [4220004, '`confirm` must be the name of the org, as it is.'],
  RATE_LIMITED: [4290001, 'Too many requests.'],
  INTERNAL_ERROR: [5000001, 'Something went wrong on our side.'],
  CLOCK_IS_WRONG: [
    5030001,
    'The clock of this server is wrong, so it changes nothing. Another server may take the request.',
  ],
  KEYS_UNAVAILABLE: [5030002, 'The keys that tokens are verified with cannot be read.'],
  DATABASE_IS_BUSY: [5030004, 'Another transaction uses what this one needs. Try again later.'],
  SECRETS_KEY_MISSING: [5030003, 'This server has no SECRETS_KEY, so it can keep no secret.'],
} as const satisfies Record<string, readonly [code: number, description: string]>

export type ErrorName = keyof typeof ERRORS

/** The body of every error answer. */
export type ErrorBody = {
  error_code: number
  error_message: string
  error_description: string
  payload: Record<string, unknown>
}

/**
 * An error that is answered to the caller. `description` replaces the general one of the registry; it never holds
 * secrets, phone numbers or message text.
 */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly error: ErrorName
  readonly payload: Record<string, unknown>

  constructor(error: ErrorName, description?: string, payload: Record<string, unknown> = {}) {
    super(description ?? ERRORS[error][1])
    this.error = error
    this.payload = payload
  }

  get status(): number {
    return Math.floor(ERRORS[this.error][0] / 10_000)
  }

  get body(): ErrorBody {
    const [error_code] = ERRORS[this.error]
    return { error_code, error_message: this.error, error_description: this.message, payload: this.payload }
  }
}

/** A token that is refused. `reason` is for the log; the answer only says that a valid token is required. */
export class TokenRefusedError extends ApiError {
  readonly reason: string

  constructor(
    reason: string,
    error: 'UNAUTHORIZED' | 'TOKEN_EXPIRED' = 'UNAUTHORIZED',
    { cause }: ErrorOptions = {},
  ) {
    super(error)
    this.reason = reason
    this.cause = cause
  }
}
