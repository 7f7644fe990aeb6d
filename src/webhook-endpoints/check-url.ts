import { isIP } from 'node:net'
import { mayReach, reachOf } from './addresses.ts'

const HTTPS = 'The URL must begin with https://.'

/**
 * What is wrong with the URL of an endpoint; undefined: nothing. Where a name leads to is checked whenever Usher connects
 * (`src/event-push/safe-agents.ts`), since it may change. `allowPrivate`: http to loopback is allowed, and https to loopback
 * and private addresses.
 */
export function faultOfUrl(text: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(text)) return 'The URL cannot be read.'
  const { protocol, username, password, hostname, hash } = new URL(text)
  if (username + password !== '') return 'The URL must have no user and no password.'
  if (hash !== '') return 'The URL must have no fragment.'
  const host = hostOf(hostname)
  if (protocol === 'http:' && !(allowPrivate && isLoopback(host))) return HTTPS
  if (protocol !== 'https:' && protocol !== 'http:') return HTTPS
  const isRefused = isIP(host) ? !mayReach(host, allowPrivate) : isLoopback(host) && !allowPrivate
  return isRefused ? 'The URL must lead to a public address.' : undefined
}

/** Whether a host is this machine, by its name or address. */
export function isLoopback(host: string): boolean {
  return isIP(host) ? reachOf(host) === 'loopback' : /^(.+\.)?localhost$/.test(host)
}

/** The host of a URL without the brackets of an IPv6 address and without the dot that may end a name. */
export function hostOf(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}
