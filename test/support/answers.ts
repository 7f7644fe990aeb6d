import { accepts, type Reply } from './graph-server.ts'

/**
 * A reply that answers each customer (digits) by a script of its own, one reply a request, and then accepts; `asked` are
 * the times of the requests for each.
 */
export function answersOf(scripts: Record<string, Reply[]>) {
  const asked = new Map<string, number[]>()
  const reply: Reply = (res, request, accept) => {
    const customer = String(request.body.to ?? request.body.recipient).replace('+', '')
    const times = asked.get(customer) ?? []
    asked.set(customer, [...times, performance.now()])
    const next = scripts[customer]?.[times.length] ?? accepts
    next(res, request, accept)
  }
  return { reply, asked }
}
