import { type Config, ConfigError, type Role } from './config.ts'
import { type Environment, environment, splitList } from './config-variables.ts'
import { type Given, readVariables } from './read-variables.ts'

/** Roles that run the receiver, which cannot work without Meta's secrets, and the API. */
const RECEIVER_ROLES: readonly Role[] = ['all', 'server']

/**
 * Reads the environment for a role. An empty variable counts as absent.
 * @throws ConfigError that lists all mistakes at once, by the variables' names.
 */
export function readConfig(env: Given, role: Role): Config {
  const { given, renamed, mistakes: own } = readVariables(env)
  const parsed = environment.safeParse(given)
  const mistakes = parsed.success ? [] : parsed.error.issues.map((i) => `${String(i.path[0])} ${i.message}`)
  mistakes.push(...own, ...findMissing(given, role))
  if (!parsed.success || mistakes.length > 0) {
    const lines = [...mistakes, ...renamed].map((line) => `  ${line}`)
    throw new ConfigError(`Usher cannot start. Correct these variables:\n${lines.join('\n')}`)
  }
  return toConfig(parsed.data, [...renamed, ...adviceOnTokens(parsed.data, role)])
}

/** Mistakes that concern several variables, or the role. */
function findMissing(given: Given, role: Role): string[] {
  const lines: string[] = []
  if (RECEIVER_ROLES.includes(role)) {
    if (splitList(given.META_APP_SECRET ?? '').length === 0)
      lines.push('META_APP_SECRET is required: the app secret that signs webhooks (App Dashboard, Basic)')
    if (splitList(given.META_VERIFY_TOKEN ?? '').length === 0)
      lines.push('META_VERIFY_TOKEN is required: a word of your choice, the same as in the webhook settings')
  }
  if (given.DATABASE_DIRECT_URL && !given.DATABASE_URL)
    lines.push('DATABASE_DIRECT_URL needs DATABASE_URL: the pooler in front of the same database')
  const sentinels = splitList(given.REDIS_URL ?? '').filter((one) => one.includes('+sentinel:'))
  if (sentinels.some((one) => !/\/\w/.test(one.replace(/^.*?:\/\//, ''))))
    lines.push(
      'REDIS_URL must name the primary that the Sentinels watch: redis+sentinel://host:26379/mymaster',
    )
  if (Boolean(given.REDIS_TLS_CERT) !== Boolean(given.REDIS_TLS_KEY))
    lines.push('REDIS_TLS_CERT and REDIS_TLS_KEY go together: set both or neither')
  if (given.JWT_SECRET && given.JWT_JWKS_URL) lines.push('JWT_SECRET and JWT_JWKS_URL exclude each other')
  return [...lines, ...findMissingForLogins(given, role)]
}

function findMissingForLogins(given: Given, role: Role): string[] {
  const lines: string[] = []
  if (Boolean(given.OPS_USER) !== Boolean(given.OPS_PASSWORD))
    lines.push('OPS_USER and OPS_PASSWORD go together: set both or neither')
  const ways = ['OPS_USERS_FILE', 'OIDC_ISSUER'].filter((name) => given[name])
  if (role !== 'cli' && ways.length > 0 && !given.SECRETS_KEY)
    lines.push(`${ways.join(' and ')} needs SECRETS_KEY, which encrypts sessions: openssl rand -base64 32`)
  if (given.OIDC_ISSUER) {
    const needed = ['OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OPS_PUBLIC_URL'].filter((name) => !given[name])
    if (needed.length > 0) lines.push(`OIDC_ISSUER needs ${needed.join(', ')}`)
    if (!given.OPS_USERS_FILE && !given.OIDC_ROLE_CLAIM)
      lines.push('OIDC_ISSUER needs OPS_USERS_FILE or OIDC_ROLE_CLAIM, which say who has which role')
  }
  return lines
}

/** A token that the same keys signed for another service looks like one of ours, unless issuer and audience are checked. */
function adviceOnTokens(env: Environment, role: Role): string[] {
  const isChecked = env.JWT_ISSUER !== undefined && env.JWT_AUDIENCE !== undefined
  const hasKeys = env.JWT_SECRET.length > 0 || env.JWT_JWKS_URL !== undefined
  if (isChecked || !hasKeys || !RECEIVER_ROLES.includes(role)) return []
  const absent = [
    ...(env.JWT_ISSUER === undefined ? ['JWT_ISSUER'] : []),
    ...(env.JWT_AUDIENCE === undefined ? ['JWT_AUDIENCE'] : []),
  ]
  return [
    `without ${absent.join(' and ')} the API accepts tokens that the same keys signed for another service`,
  ]
}

function toConfig(env: Environment, warnings: string[]): Config {
  const { OPS_USER: user, OPS_PASSWORD: password } = env
  return {
    databaseUrl: env.DATABASE_URL,
    databaseDirectUrl: env.DATABASE_DIRECT_URL,
    databasePipeline: env.DATABASE_PIPELINE,
    redis: readRedis(env),
    http: { host: env.HOST, port: env.PORT },
    shutdownDelayMs: env.SHUTDOWN_DELAY_SECONDS * 1_000,
    ops: {
      host: env.OPS_HOST,
      port: env.OPS_PORT,
      login: user && password ? { user, password } : undefined,
      usersFile: env.OPS_USERS_FILE,
      oidc: readOidc(env),
      adminTokens: env.ADMIN_TOKEN,
      readOnly: env.OPS_READ_ONLY,
    },
    meta: { appSecrets: env.META_APP_SECRET, verifyTokens: env.META_VERIFY_TOKEN },
    graph: { url: env.GRAPH_API_URL.replace(/\/+$/, ''), version: env.GRAPH_API_VERSION },
    jwt: {
      secrets: env.JWT_SECRET,
      jwksUrl: env.JWT_JWKS_URL,
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
    },
    apiLimits: { org: env.API_REQUESTS_PER_ORG, token: env.API_REQUESTS_PER_TOKEN },
    secretsKey: env.SECRETS_KEY,
    eventRetentionDays: env.EVENT_RETENTION_DAYS,
    allowPrivateWebhooks: env.WEBHOOK_ALLOW_PRIVATE,
    logLevel: env.LOG_LEVEL,
    workers: { concurrency: env.WORKER_CONCURRENCY },
    processes: env.PROCESSES,
    maxWaitingBytes: env.RECEIVER_MEMORY_MB * 1024 * 1024,
    receiverShortcut: env.RECEIVER_SHORTCUT,
    traces: readTraces(env),
    warnings,
  }
}

function readOidc(env: Environment): Config['ops']['oidc'] {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = env
  if (!issuer || !clientId || !clientSecret || !env.OPS_PUBLIC_URL) return undefined
  return {
    issuer,
    clientId,
    clientSecret,
    redirectUri: `${env.OPS_PUBLIC_URL.replace(/\/+$/, '')}/login/callback`,
    scope: env.OIDC_SCOPE,
    claims: { user: env.OIDC_USER_CLAIM, role: env.OIDC_ROLE_CLAIM, orgs: env.OIDC_ORGS_CLAIM },
  }
}

function readRedis(env: Environment): Config['redis'] {
  const { REDIS_URL: urls, REDIS_PREFIX: prefix, REDIS_SENTINEL_PASSWORD: sentinelPassword } = env
  const { REDIS_TLS_CA: ca, REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key } = env
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  return urls.length > 0 ? { urls, prefix, tls, sentinelPassword } : undefined
}

/** OpenTelemetry's own rule: the endpoint for all signals gets the path of traces, the endpoint for traces is complete. */
function readTraces(env: Environment): Config['traces'] {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = env
  const url = own ?? (all && `${all.replace(/\/+$/, '')}/v1/traces`)
  if (url === undefined || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined
  return { url, serviceName: env.OTEL_SERVICE_NAME }
}
