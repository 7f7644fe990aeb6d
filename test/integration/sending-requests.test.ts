import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { expect, it } from 'vitest'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { createGraph } from '../../src/outbound/graph.ts'
import { readConfig } from '../../src/read-config.ts'
import { atEndOf } from '../support/at-end.ts'
import { startGraph } from '../support/graph.ts'
import { PATIENCE_MS } from '../support/patience.ts'

const graphAt = (url: string, deadlineMs = PATIENCE_MS) => createGraph({ url, version: 'v26.0' }, deadlineMs)
const text = { type: 'text', text: { body: 'hi' } }

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEndOf('test', () => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

it.each([
  ['a token with a line break', 'EAA\n', undefined],
  ['a token with other characters', 'EAA\u20ac', undefined],
  ['a URL with credentials that no client accepts', 'EAA', 'http://us er@127.0.0.1:1'],
  ['a name that does not exist', 'EAA', 'http://graph.invalid'],
  ['a port that nobody listens to', 'EAA', 'http://127.0.0.1:1'],
  ['a server that speaks no TLS', 'EAA', 'tls'],
])('a request that could not be made was certainly not sent: %s', async (_, token, where) => {
  const graph = await startGraph()
  const url = where === 'tls' ? graph.url.replace('http:', 'https:') : (where ?? graph.url)
  expect(await graphAt(url).send('1001', token, text)).toMatchObject({ kind: 'retry' })
  expect(graph.requests).toEqual([])
})

it('an id of a number that no URL can carry was certainly not sent', async () => {
  const graph = await startGraph()
  expect(await graphAt(graph.url).send('\ud800', 'EAA', text)).toMatchObject({ kind: 'retry' })
})

it('no request leaves over a connection that was used before, whatever the server allows', async () => {
  let connections = 0
  const requests: number[] = []
  const server = createServer((socket) => {
    connections += 1
    let seen = 0
    socket.on('error', () => undefined)
    socket.on('data', () => {
      seen += 1
      requests.push(connections)
      // A second request over the same connection is reset at its first byte.
      if (seen > 1) return void socket.resetAndDestroy()
      const body = JSON.stringify({ messages: [{ id: `wamid.${connections}` }] })
      socket.write(
        `HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      )
    })
  })
  const graph = graphAt(await listen(server))
  for (const wamid of ['wamid.1', 'wamid.2', 'wamid.3']) {
    expect(await graph.send('1001', 'EAA', text)).toMatchObject({ kind: 'accepted', wamid })
  }
  expect(connections).toBe(3)
})

it('a connection that ends after the request has left is unknown, with and without a part of an answer', async () => {
  for (const answer of ['', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"messages"']) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', () => socket.end(answer))
    })
    expect(await graphAt(await listen(server)).send('1001', 'EAA', text)).toMatchObject({ kind: 'unknown' })
  }
})

it('a deadline that ends before the connection is open is certain, and unknown after that', async () => {
  const silent = await listen(createServer(() => undefined))
  expect(await graphAt(silent, 300).send('1001', 'EAA', text)).toEqual({
    kind: 'unknown',
    error: 'no reply: TimeoutError',
  })
})

it.each([
  'http://user:secret@graph.example',
  'https://graph.example/?x=1',
  'https://graph.example/#part',
  'ftp://graph.example',
])('a URL of the Graph API that cannot work is refused at start: %s', (GRAPH_API_URL) => {
  expect(() => readConfig({ GRAPH_API_URL }, 'workers')).toThrow('GRAPH_API_URL must')
})

it.each(['EAA\n', 'EAA test', '', 'EAA\u20ac'])(
  'a token that no header can carry is not provisioned: %j',
  (token) => {
    const wabas = [{ id: '5001', name: 'Main', access_token: token }]
    const file = JSON.stringify({ orgs: [{ id: 'acme', name: 'Acme', wabas }] })
    expect(() => parseProvisionFile(file)).toThrow('access_token: must consist of visible ASCII characters')
  },
)
