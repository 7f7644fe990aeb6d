import type { z } from 'zod'
import type { Db } from '../db/client.ts'
import { type Answer, checkAnswer, type Success } from './answer.ts'
import type { AnswerOf, Described, Endpoint, Outputs } from './endpoint.ts'
import { createInputParser } from './parse-input.ts'

/** What a request to the provisioning API is decided with. `actor`: as the audit names who asks. */
export type AdminRequest = { actor: string; secretsKey: Buffer | undefined }
type Context<Params, Query, Body> = AdminRequest & { db: Db; params: Params; query: Query; body: Body }

type DescribedOperation = Omit<Described, 'policy' | 'deprecated' | 'idempotent' | 'shownOnce'>

/** An endpoint of the provisioning API, which serves everybody who may provision the org in its path. */
export type AdminEndpoint = DescribedOperation &
  Pick<Endpoint, 'params' | 'query' | 'body' | 'responses' | 'example'> & {
    prepare: (
      request: AdminRequest & { params: unknown; query: unknown; body: unknown },
    ) => (db: Db) => Promise<Answer>
  }

type Definition<
  Params extends Record<string, z.ZodType>,
  Responses extends Record<number, Success>,
  Query extends z.ZodObject,
  Body extends z.ZodType,
> = DescribedOperation & {
  params: Params
  query?: Query
  body?: Body
  example?: { body?: z.input<NoInfer<Body>> }
  responses: Responses
  handler: (
    context: Context<Outputs<Params>, z.output<Query>, z.output<Body>>,
  ) => Promise<AnswerOf<NoInfer<Responses>>>
}

/** Defines one endpoint of the provisioning API, as `defineEndpoint` does for the public one. */
export function defineAdminEndpoint<
  Params extends Record<string, z.ZodType>,
  Responses extends Record<number, Success>,
  Query extends z.ZodObject = z.ZodObject<Record<never, z.ZodType>>,
  Body extends z.ZodType = z.ZodUndefined,
>({ handler, ...definition }: Definition<Params, Responses, Query, Body>): AdminEndpoint {
  const { params, query, body, responses, bodyRequired = true } = definition
  const parse = createInputParser({ params, query, body, bodyRequired, documents422: true })
  return {
    ...definition,
    query,
    body,
    prepare: ({ params, query, body, ...request }) => {
      const input = parse({ params, query, body }) as {
        params: Outputs<Params>
        query: z.output<Query>
        body: z.output<Body>
      }
      return async (db) => checkAnswer(responses, await handler({ ...request, ...input, db }))
    },
  }
}
