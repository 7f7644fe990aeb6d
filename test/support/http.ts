import { once } from 'node:events'
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'

export type Reply = { status: number; headers: IncomingMessage['headers']; body: string }

export type Request = {
  method?: string
  headers?: OutgoingHttpHeaders
  /** A list is sent in chunks, without content-length. */
  body?: Buffer | string | Buffer[]
}

/** Sends one request on a connection of its own and reads the whole answer. */
export async function send(
  url: string,
  { method = 'GET', headers = {}, body }: Request = {},
): Promise<Reply> {
  const length =
    body === undefined || Array.isArray(body) ? {} : { 'content-length': Buffer.byteLength(body) }
  const req = request(url, { method, headers: { ...length, ...headers }, agent: false })
  const answered = once(req, 'response') as Promise<[IncomingMessage]>
  // What is still to be sent when the answer is there may meet a closed connection.
  answered.then(() => req.on('error', () => {})).catch(() => {})
  if (Array.isArray(body)) {
    for (const chunk of body) req.write(chunk)
    req.end()
  } else {
    req.end(body)
  }
  const [res] = await answered
  return { status: res.statusCode ?? 0, headers: res.headers, body: await text(res) }
}

/** A bare connection for requests no client would make. `closed` resolves to all it ever received. */
export async function openSocket(url: string): Promise<{ socket: Socket; closed: Promise<string> }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (data: string) => {
    received += data
  })
  socket.on('error', () => {})
  // A client that goes on writing may be answered by a reset after it has received the answer.
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)))
  await once(socket, 'connect')
  return { socket, closed }
}
