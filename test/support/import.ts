import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { mint } from './api.ts'

export type ImportLine = { crm_id: string; phone_number: string; opt_in_date: string }

/** Lines for people of their own, counted from `first`. */
export function importLines(count: number, first = 0): ImportLine[] {
  return Array.from({ length: count }, (_, i) => ({
    crm_id: `import-${first + i}`,
    phone_number: `+9190${String(first + i).padStart(8, '0')}`,
    opt_in_date: '2026-01-31T09:30:00Z',
  }))
}

export const asText = (lines: object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

/** A line of the answer. */
// biome-ignore lint/suspicious/noExplicitAny: JSON
export type ImportAnswer = any

export type OpenImport = {
  req: ClientRequest
  /** What was answered so far. */
  answers: ImportAnswer[]
  /** Resolves when the answer has ended, or was cut off. */
  ended: Promise<void>
}

/** Begins an import over HTTP, and reads the answer while the request is being sent. */
export async function openImport(url: string, org: string): Promise<OpenImport> {
  const headers = { authorization: `Bearer ${await mint({ org })}`, 'content-type': 'application/x-ndjson' }
  const req = request(`${url}/v1/org/${org}/contacts:import`, { method: 'POST', headers })
  const answers: ImportAnswer[] = []
  const ended = readAnswers(req, answers).catch(() => undefined)
  return { req, answers, ended }
}

async function readAnswers(req: ClientRequest, answers: ImportAnswer[]): Promise<void> {
  req.on('error', () => {})
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  res.on('error', () => {})
  for await (const line of createInterface({ input: res })) answers.push(JSON.parse(line))
}
