import { z } from 'zod'

/** libpq's modes but `allow` and `prefer`, which promise nothing. */
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full']

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/**
 * Checks and converts the environment variables that Usher reads; an absent variable gets its default. An error names
 * the variable in its path and says in its message what is allowed, without the value, which may be a secret.
 */
export const environment = z.object({
  DATABASE_URL: postgresUrl().optional(),
  DATABASE_DIRECT_URL: postgresUrl().optional(),
  DATABASE_PIPELINE: z.stringbool({ error: 'must be on or off' }).default(true),
  REDIS_URL: z
    .string()
    .transform(splitList)
    .pipe(z.array(url('redis:', 'rediss:', 'redis+sentinel:', 'rediss+sentinel:')))
    .default([]),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w-]+$/, 'must consist of letters, digits, - and _')
    .default('usher'),
  REDIS_SENTINEL_PASSWORD: z.string().optional(),
  REDIS_TLS_CA: pem().optional(),
  REDIS_TLS_CERT: pem().optional(),
  REDIS_TLS_KEY: pem().optional(),
  HOST: z.string().default('0.0.0.0'),
  PORT: port(3000),
  SHUTDOWN_DELAY_SECONDS: wholeNumber(0, 300).default(5),
  OPS_HOST: z.string().default('127.0.0.1'),
  OPS_PORT: port(3001),
  OPS_USER: z.string().optional(),
  OPS_PASSWORD: z.string().optional(),
  OPS_USERS_FILE: z.string().optional(),
  OPS_PUBLIC_URL: plainUrl('https:', 'http:').optional(),
  OIDC_ISSUER: issuerUrl().optional(),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_CLIENT_SECRET: z.string().optional(),
  OIDC_SCOPE: z.string().default('openid email'),
  OIDC_USER_CLAIM: z.string().default('email'),
  OIDC_ROLE_CLAIM: z.string().optional(),
  OIDC_ORGS_CLAIM: z.string().optional(),
  ADMIN_TOKEN: z
    .string()
    .transform(splitList)
    .pipe(
      z.array(
        z.string().regex(/^[\x21-\x7e]{32,}$/, 'each token must have 32 or more visible ASCII characters'),
      ),
    )
    .default([]),
  OPS_READ_ONLY: z.stringbool({ error: 'must be true or false' }).default(false),
  META_APP_SECRET: z.string().transform(splitList).default([]),
  META_VERIFY_TOKEN: z.string().transform(splitList).default([]),
  GRAPH_API_URL: plainUrl('http:', 'https:').default('https://graph.facebook.com'),
  GRAPH_API_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/, 'must look like v26.0')
    .default('v26.0'),
  JWT_SECRET: z
    .string()
    .transform(splitList)
    .pipe(
      z.array(
        z.string().refine((s) => Buffer.byteLength(s) >= 32, 'each secret must have at least 32 bytes'),
      ),
    )
    .default([]),
  JWT_JWKS_URL: url('https:', 'http:').optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  API_REQUESTS_PER_ORG: wholeNumber(0, 10_000_000).default(30_000),
  API_REQUESTS_PER_TOKEN: wholeNumber(0, 10_000_000).default(15_000),
  SECRETS_KEY: z
    .string()
    .transform((value) => Buffer.from(value, 'base64'))
    .refine((key) => key.length === 32, 'must be 32 bytes in base64: openssl rand -base64 32')
    .optional(),
  EVENT_RETENTION_DAYS: wholeNumber(1, 365).default(30),
  WEBHOOK_ALLOW_PRIVATE: z.stringbool({ error: 'must be true or false' }).default(false),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  WORKER_CONCURRENCY: wholeNumber(1, 64).default(4),
  PROCESSES: wholeNumber(1, 2).optional(),
  RECEIVER_MEMORY_MB: wholeNumber(8, 65_536).default(64),
  RECEIVER_SHORTCUT: z
    .stringbool({ truthy: ['on'], falsy: ['off'], error: 'must be on or off' })
    .default(true),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url('http:', 'https:').optional(),
  OTEL_SERVICE_NAME: z.string().default('usher'),
  OTEL_SDK_DISABLED: z.string().optional(),
})

export type Environment = z.infer<typeof environment>

/** Names of all environment variables that Usher reads, apart from the old names in `RENAMED`. */
export const VARIABLES = Object.keys(environment.shape) as (keyof Environment)[]

/** Variables that can also be given as the path of a file, under their name and `_FILE`. */
export const SECRETS: readonly (keyof Environment)[] = [
  'META_APP_SECRET',
  'META_VERIFY_TOKEN',
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'REDIS_URL',
  'REDIS_SENTINEL_PASSWORD',
  'REDIS_TLS_CA',
  'REDIS_TLS_CERT',
  'REDIS_TLS_KEY',
  'OPS_PASSWORD',
  'ADMIN_TOKEN',
  'OIDC_CLIENT_SECRET',
  'JWT_SECRET',
  'SECRETS_KEY',
]

/** Old names of variables, which still work, and the names that replaced them. */
export const RENAMED: Readonly<Record<string, keyof Environment>> = { DOOR_MEMORY_MB: 'RECEIVER_MEMORY_MB' }

/** The parts of a comma-separated list, trimmed, without empty ones. */
export function splitList(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function wholeNumber(low: number, high: number) {
  return z.coerce
    .number({ error: 'must be a number' })
    .int('must be a whole number')
    .min(low, `must be ${low} to ${high}`)
    .max(high, `must be ${low} to ${high}`)
}

function port(fallback: number) {
  return wholeNumber(0, 65_535).default(fallback)
}

function pem() {
  return z.string().startsWith('-----BEGIN ', 'must be PEM: text that starts with -----BEGIN')
}

function postgresUrl() {
  const queryOf = (value: string) => new URL(URL.canParse(value) ? value : 'postgres:').searchParams
  return url('postgres:', 'postgresql:')
    .refine((value) => SSL_MODES.includes(queryOf(value).get('sslmode') ?? 'disable'), {
      error: `has an sslmode that is none of ${SSL_MODES.join(', ')}`,
    })
    .refine((value) => queryOf(value).get('sslmode') !== 'verify-ca' || queryOf(value).has('sslrootcert'), {
      error: 'has sslmode=verify-ca, which needs sslrootcert=/path/to/ca.pem',
    })
}

/** An OpenID provider: its tokens come over this connection, so it is https, but on this machine. */
function issuerUrl() {
  const isSafe = (value: string) => {
    if (!URL.canParse(value)) return true
    const { protocol, hostname } = new URL(value)
    return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  }
  return plainUrl('https:', 'http:').refine(isSafe, 'must start with https://')
}

/** A URL to which a path is added: it has no credentials, query or fragment. */
function plainUrl(...schemes: string[]) {
  return url(...schemes).refine((value) => {
    if (!URL.canParse(value)) return true
    const { username, password, search, hash } = new URL(value)
    return username + password + search + hash === ''
  }, 'must have no credentials, no query and no fragment')
}

function url(...schemes: string[]) {
  return z.string().refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol), {
    error: `must be a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  })
}
