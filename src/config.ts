import type { LOG_LEVELS } from './config-variables.ts'

/** What a process does. Each role requires only the variables that it needs. */
export type Role = 'all' | 'server' | 'workers' | 'cli'

/** The Redis of an installation. */
export type RedisAccess = {
  /** One URL, several nodes of a Cluster, or several Sentinels (`redis+sentinel://host:26379/primary`). */
  urls: string[]
  /** Begins every key, so that installations can share a Redis. */
  prefix: string
  /** PEM: the authority that signed its certificate, and a certificate of this client. */
  tls?: { ca?: string; cert?: string; key?: string }
  sentinelPassword?: string | undefined
}

/** An OpenID provider, and this installation as its client. */
export type OidcConfig = {
  issuer: string
  clientId: string
  clientSecret: string
  /** Where the provider leads the browser back to. */
  redirectUri: string
  scope: string
  /** The claims that name a person, the role and the orgs. */
  claims: { user: string; role: string | undefined; orgs: string | undefined }
}

/** Everything that a process reads from the environment, which it does once, when it starts. */
export type Config = {
  databaseUrl: string | undefined
  /** Of the embedded server, relative to the project; default: `.data/postgres`. */
  embeddedFolder?: string
  /** Leads to PostgreSQL itself where `databaseUrl` leads to a pooler. */
  databaseDirectUrl: string | undefined
  /** Statements may be sent before the answer to the one before. */
  databasePipeline: boolean
  /** Undefined: BullMQ runs on PostgreSQL. */
  redis: RedisAccess | undefined
  http: { host: string; port: number }
  /** How long a receiver goes on after it was asked to stop. */
  shutdownDelayMs: number
  ops: {
    host: string
    port: number
    login: { user: string; password: string } | undefined
    /** The people who may log in on the login page; needs `secretsKey`. */
    usersFile: string | undefined
    /** An OpenID provider, where people log in; needs `secretsKey`. */
    oidc: OidcConfig | undefined
    /** The tokens that admit to the provisioning API; none: nobody is admitted by a token. */
    adminTokens: string[]
    /** Every person who is logged in may read everything and change nothing. */
    readOnly: boolean
  }
  meta: { appSecrets: string[]; verifyTokens: string[] }
  graph: { url: string; version: string }
  jwt: {
    secrets: string[]
    jwksUrl: string | undefined
    issuer: string | undefined
    audience: string | undefined
  }
  /** Requests to the API in a minute that are served; 0: any number. */
  apiLimits: { org: number; token: number }
  secretsKey: Buffer | undefined
  /** For how many days the event log can be read. */
  eventRetentionDays: number
  /** Events may be posted to loopback, also by http, and to private networks. */
  allowPrivateWebhooks: boolean
  logLevel: (typeof LOG_LEVELS)[number]
  workers: { concurrency: number }
  /** Of a process that does everything. Undefined: two, where there is more than one core, else one. */
  processes: number | undefined
  /** Bytes of request bodies that may wait for the database. Beyond this the receiver answers 503. */
  maxWaitingBytes: number
  /** Webhooks go straight to the receiver, not through Express. */
  receiverShortcut: boolean
  /** Where spans are exported to, by OTLP over HTTP; undefined when traces are off. */
  traces: { url: string; serviceName: string } | undefined
  /** Advice about this configuration, such as a variable whose name has changed; to be logged once at start. */
  warnings: string[]
}

/** Thrown by `readConfig`. The message names every wrong variable on a line of its own, and never shows a value. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/**
 * A mistake of the installation that does not go away by itself. The message is one line that names the cause and what
 * to do, and never shows a value.
 */
export class SetupError extends Error {
  override name = 'SetupError'
}
