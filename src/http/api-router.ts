import { type Request, type Response, Router } from 'express'
import type { Endpoint } from './endpoint.ts'
import { serveEndpoint } from './serve-endpoint.ts'
import type { ApiServices } from './services.ts'

/**
 * The routes of the endpoints of the public API.
 * @throws Error at start when two endpoints share an address or an operationId, or when one has no policy.
 */
export function createApiRouter(endpoints: Endpoint[], services: ApiServices): Router {
  for (const { method, path, policy } of endpoints)
    if (!policy) throw new Error(`${method} ${path} has no policy`)
  return createRoutes(endpoints, (endpoint, req, res) => serveEndpoint(endpoint, services, req, res))
}

/**
 * A router with a route for each endpoint.
 * @throws Error when two endpoints share an address or an operationId
 */
export function createRoutes<E extends Pick<Endpoint, 'method' | 'path' | 'operationId'>>(
  endpoints: E[],
  serve: (endpoint: E, req: Request, res: Response) => Promise<void>,
): Router {
  checkDefinitions(endpoints)
  const router = Router({ caseSensitive: true })
  router.use((req, _res, next) => {
    req.url = decodableUrl(req.url)
    next()
  })
  for (const endpoint of endpoints) {
    // A colon begins a parameter of Express; in our paths it is one.
    const path = endpoint.path.replaceAll(':', '\\:').replace(/\{(\w+)\}/g, ':$1')
    router[endpoint.method](path, (req, res) => serve(endpoint, req, res))
  }
  return router
}

function checkDefinitions(endpoints: Pick<Endpoint, 'method' | 'path' | 'operationId'>[]): void {
  const seen = new Set<string>()
  for (const { method, path, operationId } of endpoints) {
    for (const name of [`${method} ${path.replace(/\{\w+\}/g, '{}')}`, operationId]) {
      if (seen.has(name)) throw new Error(`there are two endpoints ${name}`)
      seen.add(name)
    }
  }
}

/**
 * Encodes the path segments that are not valid percent-encoding. Express would refuse them with an error of its own;
 * taken literally, they reach the endpoint, which answers a documented error.
 */
function decodableUrl(url: string): string {
  const [path = '', ...query] = url.split('?')
  const segments = path
    .split('/')
    .map((segment) => (isDecodable(segment) ? segment : encodeURIComponent(segment)))
  return [segments.join('/'), ...query].join('?')
}

function isDecodable(segment: string): boolean {
  try {
    decodeURIComponent(segment)
    return true
  } catch {
    return false
  }
}
