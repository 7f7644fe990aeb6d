import { z } from 'zod'

/** What a process does; each role requires only the variables it needs. */
export type Role = 'all' | 'server' | 'workers' | 'cli'

/** Everything read from the environment, once, at the root of a process. Times are in milliseconds. */
export type Config = {
  databaseUrl: string | undefined
  redisUrls: string[]
  http: { host: string; port: number }
  ops: {
    host: string
    port: number
    login: { user: string; password: string } | undefined
    /** Whoever logs in may look, and change nothing. */
    readOnly: boolean
  }
  meta: { appSecrets: string[]; verifyToken: string }
  graph: { url: string; version: string }
  jwt: {
    secrets: string[]
    jwksUrl: string | undefined
    issuer: string | undefined
    audience: string | undefined
  }
  secretsKey: Buffer | undefined
  logLevel: (typeof LOG_LEVELS)[number]
  workers: { concurrency: number }
  /** Bodies that wait for the database, in bytes; beyond it the door answers 503. */
  maxWaitingBytes: number
  /** Where spans go, by OTLP over HTTP; undefined: nowhere. */
  traces: { url: string; serviceName: string } | undefined
}

/** Thrown by `readConfig`; the message names every wrong variable on a line of its own, never a value. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const DOOR_ROLES: readonly Role[] = ['all', 'server']

const wholeNumber = (low: number, high: number, fallback: number) =>
  z.coerce
    .number({ error: 'must be a number' })
    .int('must be a whole number')
    .min(low, `must be ${low} to ${high}`)
    .max(high, `must be ${low} to ${high}`)
    .default(fallback)
const port = (fallback: number) => wholeNumber(0, 65_535, fallback)
const url = (...schemes: string[]) =>
  z.string().refine((value) => schemes.some((scheme) => hasScheme(value, scheme)), {
    error: `must be a URL that starts with ${schemes.map((s) => `${s}//`).join(' or ')}`,
  })
const list = (value: string) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const schema = z.object({
  DATABASE_URL: url('postgres:', 'postgresql:').optional(),
  REDIS_URL: z
    .string()
    .transform(list)
    .pipe(z.array(url('redis:', 'rediss:')))
    .default([]),
  HOST: z.string().default('0.0.0.0'),
  PORT: port(3000),
  OPS_HOST: z.string().default('127.0.0.1'),
  OPS_PORT: port(3001),
  OPS_USER: z.string().optional(),
  OPS_PASSWORD: z.string().optional(),
  OPS_READ_ONLY: z.stringbool({ error: 'must be true or false' }).default(false),
  META_APP_SECRET: z.string().transform(list).default([]),
  META_VERIFY_TOKEN: z.string().optional(),
  GRAPH_API_URL: url('http:', 'https:').default('https://graph.facebook.com'),
  GRAPH_API_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/, 'must look like v26.0')
    .default('v26.0'),
  JWT_SECRET: z
    .string()
    .transform(list)
    .pipe(
      z.array(
        z.string().refine((s) => Buffer.byteLength(s) >= 32, 'each secret must have at least 32 bytes'),
      ),
    )
    .default([]),
  JWT_JWKS_URL: url('https:', 'http:').optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  SECRETS_KEY: z
    .string()
    .transform((value) => Buffer.from(value, 'base64'))
    .refine((key) => key.length === 32, 'must be 32 bytes in base64: openssl rand -base64 32')
    .optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  WORKER_CONCURRENCY: wholeNumber(1, 64, 4),
  DOOR_MEMORY_MB: wholeNumber(8, 65_536, 64),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url('http:', 'https:').optional(),
  OTEL_SERVICE_NAME: z.string().default('usher'),
  OTEL_SDK_DISABLED: z.string().optional(),
})

/** Names of every variable Usher reads, for `.env.example` and its test. */
export const VARIABLES = Object.keys(schema.shape)

/**
 * Reads the environment for a role. An empty variable counts as unset.
 * @throws ConfigError listing every mistake by variable name; values, which may be secrets, are never shown.
 */
export function readConfig(env: Record<string, string | undefined>, role: Role): Config {
  const given = Object.fromEntries(VARIABLES.map((name) => [name, env[name]?.trim() || undefined]))
  const parsed = schema.safeParse(given)
  const mistakes = parsed.success ? [] : parsed.error.issues.map((i) => `${String(i.path[0])} ${i.message}`)
  mistakes.push(...missing(given, role))
  if (!parsed.success || mistakes.length > 0) {
    throw new ConfigError(`Usher cannot start, please mend:\n${mistakes.map((m) => `  ${m}`).join('\n')}`)
  }
  return toConfig(parsed.data)
}

function missing(env: Record<string, string | undefined>, role: Role): string[] {
  const lines: string[] = []
  if (DOOR_ROLES.includes(role)) {
    if (list(env.META_APP_SECRET ?? '').length === 0)
      lines.push('META_APP_SECRET is required: the app secret that signs webhooks (App Dashboard, Basic)')
    if (!env.META_VERIFY_TOKEN)
      lines.push('META_VERIFY_TOKEN is required: a word of yours, the same as in the webhook configuration')
  }
  if (Boolean(env.OPS_USER) !== Boolean(env.OPS_PASSWORD))
    lines.push('OPS_USER and OPS_PASSWORD go together: set both or neither')
  if (env.JWT_SECRET && env.JWT_JWKS_URL) lines.push('JWT_SECRET and JWT_JWKS_URL exclude each other')
  return lines
}

function toConfig(env: z.infer<typeof schema>): Config {
  return {
    databaseUrl: env.DATABASE_URL,
    redisUrls: env.REDIS_URL,
    http: { host: env.HOST, port: env.PORT },
    ops: {
      host: env.OPS_HOST,
      port: env.OPS_PORT,
      login:
        env.OPS_USER && env.OPS_PASSWORD ? { user: env.OPS_USER, password: env.OPS_PASSWORD } : undefined,
      readOnly: env.OPS_READ_ONLY,
    },
    meta: { appSecrets: env.META_APP_SECRET, verifyToken: env.META_VERIFY_TOKEN ?? '' },
    graph: { url: env.GRAPH_API_URL.replace(/\/+$/, ''), version: env.GRAPH_API_VERSION },
    jwt: {
      secrets: env.JWT_SECRET,
      jwksUrl: env.JWT_JWKS_URL,
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
    },
    secretsKey: env.SECRETS_KEY,
    logLevel: env.LOG_LEVEL,
    workers: { concurrency: env.WORKER_CONCURRENCY },
    maxWaitingBytes: env.DOOR_MEMORY_MB * 1024 * 1024,
    traces: tracesOf(env),
  }
}

/** As OpenTelemetry reads them: the endpoint of all signals gets a path for traces, that of traces is complete. */
function tracesOf(env: z.infer<typeof schema>): Config['traces'] {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = env
  const url = own ?? (all && `${all.replace(/\/+$/, '')}/v1/traces`)
  if (url === undefined || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined
  return { url, serviceName: env.OTEL_SERVICE_NAME }
}

function hasScheme(value: string, scheme: string): boolean {
  return URL.canParse(value) && new URL(value).protocol === scheme
}
