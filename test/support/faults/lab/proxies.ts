import { startTcpProxy, type TcpProxy } from '../../tcp-proxy.ts'
import type { Cleanup } from './cleanup.ts'

/** Proxies between all processes and each of the stores and the Graph API, and between Meta and each receiver. */
export type Proxies = {
  postgres: TcpProxy
  redis: TcpProxy | undefined
  graph: TcpProxy
  receivers: TcpProxy[]
}

/** A proxy in front of the server that a URL names. */
export async function startProxy(url: string, cleanup: Cleanup): Promise<TcpProxy> {
  const { hostname, port } = new URL(url)
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  cleanup.add(() => proxy.close())
  return proxy
}

/** The same URL by way of a proxy. */
export function through(proxy: TcpProxy, url: string): string {
  const address = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(proxy.port) })
  return address.href.replace(/\/$/, '')
}
