import { describe, expect, it } from 'vitest'
import { freePort } from '../../src/db/embedded/server.ts'
import { engines } from '../support/app.ts'
import { createAuthority } from '../support/certificates.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'
import { postDelivery } from '../support/post.ts'
import { startUsher } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { message, post } from '../support/webhooks.ts'

/** A Redis that speaks nothing but TLS, and asks its clients for a certificate. */
async function startSecureRedis() {
  const ca = createAuthority()
  const server = ca.sign('redis', 'DNS:localhost', 'IP:127.0.0.1')
  const port = await freePort()
  const files = ['--tls-cert-file', server.certificate, '--tls-key-file', server.key]
  const options = ['--port', '0', '--tls-port', String(port), ...files, '--tls-ca-cert-file', ca.certificate]
  const redis = await startRedis(port, options)
  const client = ca.sign('usher')
  const env = {
    REDIS_URL: `rediss://127.0.0.1:${port}`,
    REDIS_TLS_CA_FILE: ca.certificate,
    REDIS_TLS_CERT_FILE: client.certificate,
    REDIS_TLS_KEY_FILE: client.key,
  }
  return { env, stop: redis.stop }
}

describe.runIf(engines().includes('redis'))(
  'a Redis that speaks TLS only, with an authority of its own',
  () => {
    it('and asks for a certificate carries the queues; without one, workers say which variables to set', async () => {
      const { url: DATABASE_URL, db, pool } = await createTestDatabase()
      const { phones } = await createOrg(db)
      const redis = await startSecureRedis()
      const usher = await startUsher('all', { DATABASE_URL, ...redis.env })
      await usher.printed(/"Usher is up"/)
      expect(await postDelivery(usher.url, post(phones[0]!, message({})))).toBe(200)
      await expect.poll(async () => (await pool.query('select from messages')).rowCount).toBe(1)
      await usher.stop()
      const { REDIS_URL, REDIS_TLS_CA_FILE } = redis.env
      for (const known of [{}, { REDIS_TLS_CA_FILE }]) {
        const workers = await startUsher('workers', { DATABASE_URL, REDIS_URL, ...known })
        await workers.printed(/Usher waits: .*certificate of Redis.*REDIS_TLS_CA.*REDIS_TLS_CERT/)
        await workers.stop()
      }
      await redis.stop()
    })
  },
)
