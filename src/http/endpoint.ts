import type { z } from 'zod'
import type { Db } from '../db/client.ts'
import type { Org } from '../db/schema/index.ts'
import { type Answer, checkAnswer, type Pages, type Success } from './answer.ts'
import { actorOf } from './caller.ts'
import type { Context, RawRequest } from './context.ts'
import { createInputParser } from './parse-input.ts'
import type { Policy } from './policy.ts'

/** The documented errors by status. Invalid input is answered with 422 where that is documented, else with 400. */
export type Failures = { 401: string; 403: string; 500: string } & ({ 400: string } | { 422: string }) &
  Partial<Record<400 | 404 | 409 | 410 | 422 | 429 | 503, string>>

/** What describes an endpoint to people and to the OpenAPI document. */
export type Described = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: `/${string}`
  operationId: string
  summary: string
  /** Lines that follow the policy in the OpenAPI document; the lines of the policy itself are generated. */
  description?: string
  tags: string[]
  /** The original API marks the endpoint as deprecated; says what to use instead. */
  deprecated?: string
  policy: Policy
  /** False: a missing body is read as `{}`. Default: true. */
  bodyRequired?: boolean
  /** True: the endpoint honours `Idempotency-Key`, and `db` is the transaction that also stores the answer. */
  idempotent?: boolean
  /** Fields of an answer that are null in the answer to a repeated request, because they are stored nowhere else in clear. */
  shownOnce?: readonly string[]
  errors: Failures
}

/** What a schema cannot tell of a request: its query and its body. */
export type RequestExample = { query?: string; body?: unknown }

/**
 * An endpoint as the router and the OpenAPI document read it. `prepare` validates the request, and returns the function
 * that runs the handler on a database or a transaction.
 */
export type Endpoint = Described & {
  params: Record<string, z.ZodType>
  query: z.ZodObject | undefined
  body: z.ZodType | undefined
  responses: Record<number, Success>
  example?: RequestExample
  prepare: (request: RawRequest) => (db: Db) => Promise<Answer>
  /** Of an endpoint that reads line by line: validates the request, and gives the lines of the answer. */
  stream?: (request: StreamedRequest) => Pages
}

/** What the work of an endpoint receives that reads and answers line by line. */
export type StreamContext = Pick<Context<unknown, unknown, unknown>, 'db' | 'actor'> & {
  /** The body, which is read no faster than the work takes it. */
  input: AsyncIterable<Buffer>
  /**
   * The org, and the database's clock, as they are now; authorizes the caller again.
   * @throws ApiError FORBIDDEN or CLOCK_IS_WRONG
   */
  reopen: () => Promise<{ org: Org; now: Date }>
}

/** An authorized request of such an endpoint, before validation. */
export type StreamedRequest = StreamContext & { params: unknown; query: unknown }

type ParamName<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamName<Rest>
  : never
/** What the schemas of a shape give. */
export type Outputs<Shape> = { [K in keyof Shape]: z.output<Shape[K]> }
/** What a handler may answer. */
export type AnswerOf<Responses> = {
  [S in keyof Responses]: Responses[S] extends { schema: infer T extends z.ZodType }
    ? { status: S; body: z.input<T> }
    : Responses[S] extends { line: z.ZodType }
      ? { status: S; pages: Pages }
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
  /** A request as the documentation shows it. An endpoint with a required body has one. */
  example?: { query?: string; body?: z.input<NoInfer<Body>> }
  responses: Responses
  handler: (
    context: Context<Outputs<Params>, z.output<Query>, z.output<Body>>,
  ) => Promise<AnswerOf<NoInfer<Responses>>>
}

/**
 * Defines one endpoint: the only source of its route, its policy, the validation of requests and answers, and its
 * entry in the OpenAPI document. `prepare` throws ApiError INVALID_INPUT (BAD_REQUEST where 422 is not documented).
 * The function it returns throws what the handler throws, and an Error when the answer does not fit its schema.
 */
export function defineEndpoint<
  const Path extends `/${string}`,
  Params extends Record<string, z.ZodType>,
  Responses extends Record<number, Success>,
  Query extends z.ZodObject = z.ZodObject<Record<never, z.ZodType>>,
  Body extends z.ZodType = z.ZodUndefined,
>({ handler, ...definition }: Definition<Path, Params, Responses, Query, Body>): Endpoint {
  const { params, query, body, responses, bodyRequired = true, errors } = definition
  const parse = createInputParser({ params, query, body, bodyRequired, documents422: 422 in errors })
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
