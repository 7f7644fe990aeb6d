import { answerOf, curlOf } from './docs-example.ts'
import type { RequestExample } from './endpoint.ts'
import type { OpenApiDocument } from './openapi.ts'

type Operation = NonNullable<OpenApiDocument['paths'][string]['get']>
type Schemas = NonNullable<NonNullable<OpenApiDocument['components']>['schemas']>
type Schema = Schemas[string]
type Parameter = NonNullable<Operation['parameters']>[number]
type Media = { content?: Record<string, { schema?: Schema }> }

/** The page's only style. The content security policy of the page admits it by its hash. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
a { color: #0a58a8 }
pre { background: #f1f3f2; padding: .7rem; border-radius: 6px; overflow-x: auto }
.old { background: #fbeccb; color: #6b4100; border-radius: 4px; padding: 0 .4rem; font-size: .85em }
@media (prefers-color-scheme: dark) {
  body { background: #121614; color: #e8eeea }
  a { color: #8fc1ff }
  pre { background: #1e2523 }
  .old { background: #3a2c10; color: #f5c873 }
}
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
summary { cursor: pointer; padding: .3rem 0 }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
.method { display: inline-block; min-width: 3.5rem; font-weight: 700; text-transform: uppercase }
.inside { margin: 0 0 1.5rem 1.2rem }
.text { white-space: pre-line }
table { border-collapse: collapse; margin: .5rem 0 1rem; width: 100% }
td, th { border-top: 1px solid #8884; padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere }
`

const OLD = '<span class="old">deprecated</span>'

/** Renders an OpenAPI document as one HTML page that loads nothing else. `examples`: requests by `operationId`. */
export function renderDocs(
  { info, paths, components }: OpenApiDocument,
  examples: Map<string, RequestExample>,
): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]: [string, Operation]) => {
      const request = curlOf(method, path, operation, examples.get(operation.operationId ?? '') ?? {})
      const answer = answerOf(operation, components?.schemas ?? {})
      return renderOperation(method, path, operation, renderExample(request, answer))
    }),
  )
  const schemas = Object.entries(components?.schemas ?? {}).map(renderSchema)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(info.title)}</title>
<meta name="viewport" content="width=device-width"><style>${DOCS_STYLE}</style></head><body><main>
<h1>${escaped(info.title)}</h1><p>Machine-readable: <a href="openapi.json">openapi.json</a></p>
<h2>Endpoints</h2>${operations.join('\n')}
<h2>Schemas</h2>${schemas.join('\n')}
<h2>Errors</h2><p class="text">${escaped(info.description ?? '')}</p></main></body></html>`
}

function renderExample(request: string, answer: string | undefined): string {
  const shown = answer === undefined ? '' : `<p>An answer:</p><pre><code>${escaped(answer)}</code></pre>`
  return `<p>For example:</p><pre><code>${escaped(request)}</code></pre>${shown}`
}

function renderOperation(method: string, path: string, operation: Operation, example: string): string {
  const { summary = '', description = '', deprecated, parameters = [], requestBody, responses } = operation
  const body = requestBody && schemaOf(requestBody as Media)
  const answers = Object.entries(responses).map(([status, response]) => [
    status,
    escaped(response.description ?? ''),
    typeOf(schemaOf(response)),
  ])
  return `<details><summary><span class="method">${method}</span> <code>${escaped(path)}</code>
${escaped(summary)}${deprecated ? ` ${OLD}` : ''}</summary><div class="inside"><p class="text">- ${escaped(description)}</p>
${table(parameters.map(renderParameter))}
${body ? `<p>Body: ${typeOf(body)}</p>` : ''}
${table(answers)}
${example}</div></details>`
}

function renderParameter(parameter: Parameter): string[] {
  if ('$ref' in parameter) return [typeOf(parameter)]
  const { name, in: place, required, schema, description = '' } = parameter
  const need = required ? 'required' : ''
  return [`<code>${escaped(name)}</code>`, place, typeOf(schema), need, escaped(description)]
}

function renderSchema([name, schema]: [string, Schema]): string {
  if ('$ref' in schema) return ''
  const { properties = {}, required = [] } = schema
  const rows = Object.entries(properties).map(([field, type]) => [
    `<code>${escaped(field)}</code>`,
    typeOf(type),
    required.includes(field) ? 'required' : '',
    '$ref' in type ? '' : `${type.deprecated ? `${OLD} ` : ''}${escaped(type.description ?? '')}`,
  ])
  return `<h3 id="${escaped(name)}">${escaped(name)}</h3>${table(rows)}`
}

function schemaOf(media: Media): Schema | undefined {
  return Object.values(media.content ?? {})[0]?.schema
}

/** Describes a schema in one line; a named schema is a link to its table. */
function typeOf(schema: Schema | undefined): string {
  if (schema === undefined) return ''
  if ('$ref' in schema) {
    const name = escaped(schema.$ref.split('/').at(-1) ?? '')
    return `<a href="#${name}">${name}</a>`
  }
  const { type, items, format, enum: values, maxLength, pattern, default: fallback } = schema
  const name = items ? `list of ${typeOf(items)}` : escaped(String(type ?? 'any'))
  const limits = [
    format,
    values?.join(' | '),
    maxLength === undefined ? undefined : `at most ${maxLength} characters`,
    pattern,
    fallback === undefined ? undefined : `default ${fallback}`,
  ]
  return [name, ...limits.filter((limit) => limit !== undefined).map(escaped)].join(', ')
}

function table(rows: string[][]): string {
  const lines = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
  return lines.length > 0 ? `<table>${lines.join('')}</table>` : ''
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
