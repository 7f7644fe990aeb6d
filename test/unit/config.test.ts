import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/config.ts'
import { VARIABLES } from '../../src/config-variables.ts'
import { projectRoot } from '../../src/project-root.ts'
import { readConfig } from '../../src/read-config.ts'

const RECEIVER = { META_APP_SECRET: 'app-secret', META_VERIFY_TOKEN: 'word' }

describe('the configuration', () => {
  it('needs only the app secret and the verify token', () => {
    expect(readConfig(RECEIVER, 'all')).toMatchObject({
      databaseUrl: undefined,
      redis: undefined,
      http: { host: '0.0.0.0', port: 3000 },
      ops: { host: '127.0.0.1', port: 3001, login: undefined, readOnly: false },
      meta: { appSecrets: ['app-secret'], verifyTokens: ['word'] },
      graph: { url: 'https://graph.facebook.com', version: 'v26.0' },
      logLevel: 'info',
    })
  })

  it('needs no secret of Meta in a role that runs no receiver', () => {
    expect(readConfig({}, 'workers').meta.appSecrets).toEqual([])
    expect(readConfig({}, 'cli').http.port).toBe(3000)
  })

  it('takes several app secrets and several Redis nodes', () => {
    const config = readConfig(
      { ...RECEIVER, META_APP_SECRET: 'new, old', REDIS_URL: 'redis://a:1,redis://b:2' },
      'all',
    )
    expect(config.meta.appSecrets).toEqual(['new', 'old'])
    expect(config.redis).toEqual({ urls: ['redis://a:1', 'redis://b:2'], prefix: 'usher', tls: {} })
  })

  it('counts an empty variable as unset', () => {
    expect(readConfig({ ...RECEIVER, DATABASE_URL: ' ', PORT: '' }, 'all')).toMatchObject({
      databaseUrl: undefined,
      http: { port: 3000 },
    })
  })

  it('takes Sentinels by their URLs, which must name the primary, and a prefix of keys', () => {
    const REDIS_URL = 'redis+sentinel://u:p@a:26379/main, redis+sentinel://b/main'
    const env = { ...RECEIVER, REDIS_URL, REDIS_PREFIX: 'eu-1', REDIS_SENTINEL_PASSWORD: 's' }
    const urls = ['redis+sentinel://u:p@a:26379/main', 'redis+sentinel://b/main']
    expect(readConfig(env, 'all').redis).toEqual({ urls, prefix: 'eu-1', tls: {}, sentinelPassword: 's' })
    const nameless = { ...env, REDIS_URL: 'redis+sentinel://a:26379' }
    expect(() => readConfig(nameless, 'all')).toThrow(/REDIS_URL must name the primary/)
    expect(() => readConfig({ ...env, REDIS_PREFIX: '{x}' }, 'all')).toThrow(/REDIS_PREFIX must consist/)
  })

  it('takes a direct URL beside the URL of a pooler, and switches pipelining off', () => {
    const [pooler, direct] = ['postgres://pooler/x', 'postgres://server/x']
    const env = { ...RECEIVER, DATABASE_URL: pooler, DATABASE_DIRECT_URL: direct, DATABASE_PIPELINE: 'off' }
    const urls = { databaseUrl: pooler, databaseDirectUrl: direct, databasePipeline: false }
    expect(readConfig(env, 'all')).toMatchObject(urls)
    expect(readConfig(RECEIVER, 'all')).toMatchObject({
      databaseDirectUrl: undefined,
      databasePipeline: true,
    })
    const alone = { ...RECEIVER, DATABASE_DIRECT_URL: direct }
    expect(() => readConfig(alone, 'all')).toThrow(/DATABASE_DIRECT_URL needs DATABASE_URL/)
  })

  it('takes a users file, which needs the key that encrypts sessions', () => {
    const env = { ...RECEIVER, OPS_USERS_FILE: '/etc/usher/users' }
    const SECRETS_KEY = Buffer.alloc(32).toString('base64')
    expect(readConfig({ ...env, SECRETS_KEY }, 'all').ops.usersFile).toBe('/etc/usher/users')
    expect(() => readConfig(env, 'workers')).toThrow(/OPS_USERS_FILE needs SECRETS_KEY/)
    expect(readConfig(env, 'cli').ops.usersFile).toBe('/etc/usher/users')
  })

  it('takes an OpenID provider with all that it needs', () => {
    const SECRETS_KEY = Buffer.alloc(32).toString('base64')
    const provider = {
      OIDC_ISSUER: 'https://login.example.com',
      OIDC_CLIENT_ID: 'usher',
      OIDC_CLIENT_SECRET: 's',
    }
    const env = { ...RECEIVER, SECRETS_KEY, ...provider, OPS_PUBLIC_URL: 'https://ops.example.com/' }
    const { oidc } = readConfig({ ...env, OIDC_ROLE_CLAIM: 'roles' }, 'all').ops
    expect(oidc).toEqual({
      issuer: 'https://login.example.com',
      clientId: 'usher',
      clientSecret: 's',
      redirectUri: 'https://ops.example.com/login/callback',
      scope: 'openid email',
      claims: { user: 'email', role: 'roles', orgs: undefined },
    })
    expect(readConfig(RECEIVER, 'all').ops.oidc).toBeUndefined()
    expect(() => readConfig(env, 'all')).toThrow(/OIDC_ISSUER needs OPS_USERS_FILE or OIDC_ROLE_CLAIM/)
    const bare = { ...RECEIVER, OIDC_ISSUER: 'http://login.example.com' }
    expect(() => readConfig(bare, 'all')).toThrow(
      /OIDC_ISSUER must start with https.*needs SECRETS_KEY.*needs OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OPS_PUBLIC_URL/s,
    )
  })

  it('takes secrets from the files that <name>_FILE names, each either so or so', () => {
    const folder = mkdtempSync(join(tmpdir(), 'usher-config-'))
    const path = join(folder, 'secret')
    writeFileSync(path, 'from-a-file\n')
    const env = { META_VERIFY_TOKEN: 'word', META_APP_SECRET_FILE: path }
    expect(readConfig(env, 'all').meta.appSecrets).toEqual(['from-a-file'])
    expect(() => readConfig({ ...env, META_APP_SECRET: 'x' }, 'all')).toThrow(/exclude each other/)
    const missing = { ...env, META_APP_SECRET_FILE: join(folder, 'nowhere') }
    expect(() => readConfig(missing, 'all')).toThrow(/META_APP_SECRET_FILE names a file that is empty or/)
    rmSync(folder, { recursive: true })
  })

  it('takes the modes of TLS that libpq has and that promise something, and PEM for Redis', () => {
    const read = (search: string) =>
      readConfig({ ...RECEIVER, DATABASE_URL: `postgres://a/b${search}` }, 'all')
    expect(read('?sslmode=verify-full').databaseUrl).toContain('verify-full')
    expect(() => read('?sslmode=prefer')).toThrow(/DATABASE_URL has an sslmode that is none of disable/)
    expect(() => read('?sslmode=verify-ca')).toThrow(/verify-ca, which needs sslrootcert/)
    const pem = '-----BEGIN CERTIFICATE-----'
    const redis = { ...RECEIVER, REDIS_URL: 'rediss://a', REDIS_TLS_CA: pem }
    expect(readConfig(redis, 'all').redis?.tls).toEqual({ ca: pem })
    expect(() => readConfig({ ...redis, REDIS_TLS_CERT: pem }, 'all')).toThrow(/go together/)
    expect(() => readConfig({ ...redis, REDIS_TLS_CA: 'ca.pem' }, 'all')).toThrow(/REDIS_TLS_CA must be PEM/)
  })

  it('reports every mistake together, by the name of the variable and without its value', () => {
    const env = {
      META_APP_SECRET: ' , ',
      DATABASE_URL: 'mysql://root:hunter2@db/x',
      PORT: '70000',
      OPS_USER: 'ops',
      JWT_SECRET: 'hunter2',
      SECRETS_KEY: 'hunter2',
      LOG_LEVEL: 'loud',
      GRAPH_API_VERSION: '26',
    }
    let message = ''
    try {
      readConfig(env, 'all')
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      message = (error as Error).message
    }
    const names = [
      'META_APP_SECRET',
      'META_VERIFY_TOKEN',
      'DATABASE_URL',
      'PORT',
      'OPS_PASSWORD',
      'JWT_SECRET',
    ]
    for (const name of [...names, 'SECRETS_KEY', 'LOG_LEVEL', 'GRAPH_API_VERSION']) {
      expect(message).toContain(name)
    }
    expect(message).not.toContain('hunter2')
  })

  describe('DOOR_MEMORY_MB, the old name of RECEIVER_MEMORY_MB,', () => {
    const read = (env: Record<string, string>) => readConfig({ ...RECEIVER, ...env }, 'server')

    it('still works, with one warning', () => {
      const config = read({ DOOR_MEMORY_MB: '32' })
      expect(config.maxWaitingBytes).toBe(32 * 1024 * 1024)
      expect(config.warnings).toEqual([expect.stringMatching(/^DOOR_MEMORY_MB .* RECEIVER_MEMORY_MB/)])
    })

    it('may be set beside the new name when both have the same value', () => {
      const config = read({ DOOR_MEMORY_MB: '32', RECEIVER_MEMORY_MB: '32' })
      expect(config.maxWaitingBytes).toBe(32 * 1024 * 1024)
      expect(config.warnings).toHaveLength(1)
    })

    it('is a mistake when both are set to different values', () => {
      const both = { DOOR_MEMORY_MB: '32', RECEIVER_MEMORY_MB: '48' }
      expect(() => read(both)).toThrow(/RECEIVER_MEMORY_MB and DOOR_MEMORY_MB.*different values/)
    })

    it('is named in the error when its value is wrong', () => {
      expect(() => read({ DOOR_MEMORY_MB: '1' })).toThrow(/RECEIVER_MEMORY_MB must be 8.*\n.*DOOR_MEMORY_MB/)
    })

    it('is absent by default: 64 MB and no warning', () => {
      expect(read({})).toMatchObject({ maxWaitingBytes: 64 * 1024 * 1024, warnings: [] })
    })
  })

  it('sends webhooks past Express unless RECEIVER_SHORTCUT is off', () => {
    const read = (value?: string) =>
      readConfig({ ...RECEIVER, RECEIVER_SHORTCUT: value }, 'server').receiverShortcut
    expect([read(), read('on'), read('off')]).toEqual([true, true, false])
    expect(() => read('no')).toThrow(/RECEIVER_SHORTCUT must be on or off/)
  })

  it('advises to check issuer and audience of tokens, where the API has keys and does not', () => {
    const advice = (env: Record<string, string>, role: 'server' | 'workers' = 'server') =>
      readConfig({ ...RECEIVER, ...env }, role).warnings
    const keys = { JWT_SECRET: 'x'.repeat(32) }
    expect(advice(keys)).toEqual([expect.stringContaining('JWT_ISSUER and JWT_AUDIENCE')])
    expect(advice({ ...keys, JWT_ISSUER: 'i' })).toEqual([expect.stringMatching(/^without JWT_AUDIENCE /)])
    expect(advice({ ...keys, JWT_AUDIENCE: 'a' })).toEqual([expect.stringMatching(/^without JWT_ISSUER /)])
    expect(advice({ ...keys, JWT_ISSUER: 'i', JWT_AUDIENCE: 'a' })).toEqual([])
    expect(advice({ JWT_JWKS_URL: 'https://x.test/keys' })).toHaveLength(1)
    expect(advice({})).toEqual([])
    expect(advice(keys, 'workers')).toEqual([])
  })

  it('takes the address for traces from the variables of OpenTelemetry, and has none by default', () => {
    const traces = (env: Record<string, string>) => readConfig({ ...RECEIVER, ...env }, 'all').traces
    const [all, own] = ['http://collector:4318/base/', 'http://other:4318/spans']
    expect(traces({})).toBeUndefined()
    expect(traces({ OTEL_EXPORTER_OTLP_ENDPOINT: all })).toEqual({
      url: 'http://collector:4318/base/v1/traces',
      serviceName: 'usher',
    })
    const both = { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own }
    expect(traces({ ...both, OTEL_SERVICE_NAME: 'eu-1' })).toEqual({ url: own, serviceName: 'eu-1' })
    expect(traces({ ...both, OTEL_SDK_DISABLED: 'TRUE' })).toBeUndefined()
  })

  it('is described by .env.example, variable by variable', () => {
    const text = readFileSync(join(projectRoot(), '.env.example'), 'utf8')
    const described = [...text.matchAll(/^#?([A-Z_]+)=/gm)].map((match) => match[1])
    expect(described.toSorted()).toEqual(VARIABLES.toSorted())
  })
})
