import type { z } from 'zod'
import type { Pages } from './answer.ts'
import type { Endpoint, StreamContext } from './endpoint.ts'
import { createInputParser } from './parse-input.ts'

/** What an endpoint whose body and answer are lines of JSON (NDJSON) has in common with the others. */
type Definition = Omit<Endpoint, 'prepare' | 'stream' | 'query' | 'body' | 'responses' | 'idempotent'> & {
  /** A line of the body. */
  line: z.ZodType
  /** A line of the answer. */
  response: { description: string; line: z.ZodType }
  /** Gives the lines of the answer as they become known; what it gives is committed. */
  work: (context: StreamContext) => Pages
}

/**
 * Defines an endpoint that reads and answers line by line, as `defineEndpoint` does one that answers once. Its body has no
 * maximum, and it may take as long as it takes.
 */
export function defineStream({ line, response, work, ...definition }: Definition): Endpoint {
  const { params, errors } = definition
  const parse = createInputParser({
    ...{ params, query: undefined, body: undefined, bodyRequired: false, documents422: 422 in errors },
  })
  return {
    ...definition,
    query: undefined,
    body: line,
    responses: { 200: response },
    prepare: () => {
      throw new Error(`${definition.operationId} answers line by line`)
    },
    stream: ({ params, query, ...context }) => {
      parse({ params, query, body: undefined })
      return work(context)
    },
  }
}
