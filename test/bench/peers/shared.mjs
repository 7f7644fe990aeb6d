import express from 'express'
import pg from 'pg'

/** What each peer has in common: a pool, the one INSERT of a message, and a server that reports where it listens. */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
pool.on('error', () => undefined)

const INSERT = {
  name: 'store',
  text: 'insert into peer_messages (wamid, phone_id, sender, payload) values ($1, $2, $3, $4) on conflict (wamid) do nothing',
}

/** Resolves when the message is stored. */
export async function store(wamid, phoneId, sender, payload) {
  await pool.query({ ...INSERT, values: [wamid, phoneId, sender, JSON.stringify(payload)] })
}

/** Serves POST /webhooks/whatsapp by `handle`, which is given the request with its body as a Buffer. */
export function serve(handle) {
  const app = express()
  app.get('/webhooks/whatsapp', (_request, response) => response.sendStatus(200))
  app.post('/webhooks/whatsapp', express.raw({ type: '*/*', limit: '4mb' }), handle)
  const server = app.listen(0, '127.0.0.1', () => {
    process.stdout.write(
      `${JSON.stringify({ msg: 'up', url: `http://127.0.0.1:${server.address().port}` })}\n`,
    )
  })
}
