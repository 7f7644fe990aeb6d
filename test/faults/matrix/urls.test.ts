import { channel } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { publishFigure } from '../../support/figures.ts'
import { startGraph } from '../../support/graph.ts'
import { accepts, type Reply } from '../../support/graph-server.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../../support/org.ts'
import { message, post } from '../../support/webhooks.ts'

describe('URLs', () => {
  const privates = [
    'http://127.0.0.1:PORT/a',
    'http://[::ffff:127.0.0.1]:PORT/b',
    'http://2130706433:PORT/c',
    'http://localhost:PORT/d',
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
  ]

  it('in messages are never fetched, redirects never followed: Usher connects to the Graph API and its stores only', async () => {
    const redirect: Reply = (res) => res.writeHead(307, { location: `${other.url}/redirected` }).end()
    const other = await startGraph()
    const graph = await startGraph(redirect, accepts)
    const attempts: string[] = []
    const listen = ({ socket }: { socket: Socket }) =>
      void socket.on('connectionAttempt', (_ip: string, port: number) => attempts.push(String(port)))
    const sockets = channel('net.client.socket')
    const app = await startTestApp('postgres', { GRAPH_API_URL: graph.url, SECRETS_KEY })
    const org = await createSendingOrg(app.db)
    await createRoom(app.db, org, { expiredAt: new Date(Date.now() - 1_000) })
    sockets.subscribe(listen as (message: unknown) => void)
    const port = new URL(other.url).port
    for (const url of privates.map((u) => u.replace('PORT', port))) {
      const media = { id: '1', url, link: url, sha256: 'x', mime_type: 'image/png' }
      const item = message({
        type: 'image',
        extra: { image: media, callback_url: url, context: { referred: url } },
      })
      expect(await app.post(post(org.phones[0]!, item))).toBe(200)
    }
    await app.drained()
    await expect.poll(() => graph.requests.length).toBeGreaterThan(1)
    const state = () => app.db.$client.query(`select 1 from outbox where state in ('queued', 'sending')`)
    await expect.poll(async () => (await state()).rows.length).toBe(0)
    sockets.unsubscribe(listen as (message: unknown) => void)
    const known = [app.url, graph.url, app.databaseUrl].map((url) => new URL(url ?? '').port)
    const elsewhere = attempts.filter((p) => !known.includes(p))
    expect(elsewhere).toEqual([])
    expect(attempts).toContain(new URL(graph.url).port)
    expect(other.requests).toEqual([])
    publishFigure(28, {
      of: 'URLs and a redirect',
      n: privates.length + 1,
      wrong: [...elsewhere, ...other.requests],
      also: { connections: attempts.length },
    })
  })
})
