import { NoReply, postOnce } from './post-once.ts'
import { classifyFailure, classifyReply, type SendOutcome } from './send-errors.ts'

export type Graph = {
  /** Posts one message from a number. Never rejects, and resolves within the deadline. */
  send(remotePhoneId: string, token: string, message: Record<string, unknown>): Promise<SendOutcome>
}

const DEADLINE_MS = 10_000

/** A client of Meta's Graph API (docs/meta.md#sending), or of a stand-in. `deadlineMs` is for each call. */
export function createGraph(
  { url, version }: { url: string; version: string },
  deadlineMs = DEADLINE_MS,
): Graph {
  return {
    async send(remotePhoneId, token, message) {
      try {
        const reply = await postOnce({
          url: `${url}/${version}/${encodeURIComponent(remotePhoneId)}/messages`,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(message),
          deadlineMs,
        })
        return classifyReply({ ...reply, body: parse(String(reply.body)) }, message.type === 'template')
      } catch (error) {
        const { name } = error as Error
        return classifyFailure(error instanceof NoReply ? error.failure : { code: name, hasLeft: false })
      }
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
