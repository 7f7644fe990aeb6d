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
        const response = await fetch(`${url}/${version}/${encodeURIComponent(remotePhoneId)}/messages`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(message),
          redirect: 'error',
          signal: AbortSignal.timeout(deadlineMs),
        })
        const body = parse(await response.text())
        return classifyReply({
          status: response.status,
          retryAfter: response.headers.get('retry-after'),
          body,
        })
      } catch (error) {
        return classifyFailure(codeOf(error))
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

/** The code of the socket's error, which `fetch` wraps in others. */
function codeOf(error: unknown): string {
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code } = e as Error & { code?: unknown }
    if (typeof code === 'string') return code
  }
  return error instanceof Error ? error.name : 'unknown'
}
