import { createHash } from 'node:crypto'
import { Router } from 'express'
import { DOCS_STYLE, renderDocs } from './docs-page.ts'
import type { Endpoint } from './endpoint.ts'
import type { OpenApiDocument } from './openapi.ts'

const hash = createHash('sha256').update(DOCS_STYLE).digest('base64')
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${hash}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** `GET /openapi.json`, and `GET /docs`: the same document, with examples, as one HTML page without scripts. */
export function createDocsRoutes(document: OpenApiDocument, endpoints: Endpoint[]): Router {
  const router = Router()
  const page = renderDocs(document, new Map(endpoints.map((one) => [one.operationId, one.example ?? {}])))
  router.get('/openapi.json', (_req, res) => {
    res.json(document)
  })
  router.get('/docs', (_req, res) => {
    res.set('content-security-policy', CONTENT_SECURITY_POLICY).type('html').send(page)
  })
  return router
}
