import { connect, type Socket } from 'node:net'

/** One kept-alive connection with at most one request under way. */
export type Connection = {
  socket: Socket
  /** Place of the request under way, and when it was due (ms). */
  place: number
  dueAt: number
}

/** Every variant answers this. Node accepts one connection in a turn of its event loop, which must not be measured. */
const GREETING = 'GET /webhooks/whatsapp HTTP/1.1\r\nHost: usher.test\r\n\r\n'

/**
 * Connects to a port of 127.0.0.1 and waits for a first answer; reads of each answer no more than its status and
 * its length.
 * @throws Error when nobody listens; `onAnswer` throws for an answer without content-length.
 */
export function openConnection(
  port: number,
  onAnswer: (connection: Connection, status: number) => void,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const connection: Connection = { socket, place: -1, dueAt: 0 }
    let text = ''
    let greeted = false
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const length = lengthOf(text)
      if (length === undefined || text.length < length) return
      const status = Number(text.slice(9, 12))
      text = ''
      if (greeted) return onAnswer(connection, status)
      greeted = true
      resolve(connection)
    })
    socket.once('connect', () => socket.write(GREETING))
    // Later errors end in a request without an answer, which is counted.
    socket.on('error', reject)
  })
}

/** Bytes of the whole answer; undefined until its head is there. */
function lengthOf(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  if (length === undefined) throw new Error(`an answer without content-length: ${text.slice(0, 200)}`)
  return head + 4 + Number(length)
}
