import type { z } from 'zod'
import type { Db } from '../db/client.ts'
import type { Org, OutboxRow } from '../db/schema/index.ts'
import { actorOf, type Caller, type Role } from './caller.ts'
import { checkAnswer, parseInput } from './check.ts'

/** Who may call an endpoint; every route has one, or it does not compile and does not start. */
export type Policy = { role: Role; impersonated: boolean; partner: boolean }

/** A documented success. Without a schema the answer has no body. */
export type Success = { description: string; schema?: z.ZodType }

/** What can go wrong, by status. Bad input answers 422 where that is documented, else 400. */
export type Failures = { 401: string; 403: string; 500: string } & ({ 400: string } | { 422: string }) &
  Partial<Record<400 | 404 | 409 | 422 | 429, string>>

/**
 * Refuses when `key` was let through less than `seconds` ago, in any process. Keys start with the org.
 * @throws ApiError RATE_LIMITED
 */
export type LimitOnce = (key: string, seconds: number) => Promise<void>

/** What a handler gets; params, query and body are parsed. `actor` is the caller as `events` names it. */
export type Context<Params, Query, Body> = {
  db: Db
  org: Org
  caller: Caller
  actor: string
  now: Date
  limitOnce: LimitOnce
  /** Tells the queue of messages to send, once the answer is committed. */
  announceSends: (rows: OutboxRow[]) => void
  params: Params
  query: Query
  body: Body
}

type Described = {
  method: 'get' | 'post' | 'put'
  path: `/${string}`
  operationId: string
  summary: string
  /** Lines after those that state the policy, which the document derives. */
  description?: string
  tags: string[]
  deprecated?: boolean
  policy: Policy
  /** False: a missing body counts as `{}`. Default true. */
  bodyRequired?: boolean
  /** True: `Idempotency-Key` is honoured; the handler's `db` is then the transaction that stores the answer. */
  idempotent?: boolean
  errors: Failures
}

/** A request before validation. */
export type RawRequest = Pick<
  Context<unknown, unknown, unknown>,
  'org' | 'caller' | 'now' | 'limitOnce' | 'announceSends'
> & {
  params: unknown
  query: unknown
  body: unknown
}

export type Answer = { status: number; body: unknown }

/** What router and document read; `prepare` validates the request and returns what runs the handler. */
export type Endpoint = Described & {
  params: Record<string, z.ZodType>
  query: z.ZodObject | undefined
  body: z.ZodType | undefined
  responses: Record<number, Success>
  prepare: (request: RawRequest) => (db: Db) => Promise<Answer>
}

type ParamName<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamName<Rest>
  : never
type Outputs<Shape> = { [K in keyof Shape]: z.output<Shape[K]> }
type AnswerOf<Responses> = {
  [S in keyof Responses]: Responses[S] extends { schema: infer T extends z.ZodType }
    ? { status: S; body: z.input<T> }
    : { status: S }
}[keyof Responses]

type Definition<
  Path extends string,
  Params extends Record<string, z.ZodType>,
  Responses extends Record<number, Success>,
  Query extends z.ZodObject,
  Body extends z.ZodType,
> = Described & {
  path: Path
  params: Params & Record<ParamName<Path>, z.ZodType>
  query?: Query
  body?: Body
  responses: Responses
  handler: (
    context: Context<Outputs<Params>, z.output<Query>, z.output<Body>>,
  ) => Promise<AnswerOf<NoInfer<Responses>>>
}

/**
 * Defines one endpoint: the only source of its route, its policy, the validation of requests and answers, and its
 * place in the OpenAPI document. `prepare` throws ApiError INVALID_INPUT (BAD_REQUEST where no 422 is documented);
 * the run throws what the handler throws, and an Error when the answer does not fit its schema.
 */
export function defineEndpoint<
  const Path extends `/${string}`,
  Params extends Record<string, z.ZodType>,
  Responses extends Record<number, Success>,
  Query extends z.ZodObject = z.ZodObject<Record<never, z.ZodType>>,
  Body extends z.ZodType = z.ZodUndefined,
>({ handler, ...definition }: Definition<Path, Params, Responses, Query, Body>): Endpoint {
  const { params, query, body, responses, bodyRequired = true, errors } = definition
  const parse = parseInput({ params, query, body, bodyRequired, documents422: 422 in errors })
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
      const context = { ...request, ...input, actor: actorOf(request.caller) }
      return async (db) => checkAnswer(responses, await handler({ ...context, db }))
    },
  }
}
