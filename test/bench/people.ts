/** The customers of the benchmark's database: everything follows from a room's number, 1 to `--rooms`. */
export const ORGS = 100

export const orgOf = (n: number) => `bench-${n % ORGS}`
export const phoneOf = (n: number) => `bench-phone-${n % ORGS}`
export const wabaOf = (n: number) => `bench-waba-${n % ORGS}`
export const waIdOf = (n: number) => String(919_000_000_000 + n)
export const userIdOf = (n: number) => `IN.1349${String(n).padStart(16, '0')}`
export const nameOf = (n: number) => `Customer ${n}`

/**
 * Of every 100 rooms of an org, by `cohort`: 3 are deactivated, 1 is expired, 2 belong to a customer whose BSUID
 * nobody knows yet, 3 are active beside an older, deactivated one of the same customer; the others are active.
 */
export const COHORTS = {
  asleep: [0, 1, 2],
  expired: [3],
  withoutUserId: [4, 5],
  withOlder: [6, 7, 8],
} as const

export const COHORT = `(n / ${ORGS} % 100)`

/** Of every 100 messages, one comes from an unknown customer and is held. */
export const STRANGERS_PER_100 = 1
/** Customers with this number or a greater one have no room. */
export const FIRST_STRANGER = 900_000_000
