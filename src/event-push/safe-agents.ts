import dns from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { mayReach, reachOf } from '../webhook-endpoints/addresses.ts'
import { hostOf } from '../webhook-endpoints/check-url.ts'

/** The host leads to an address to which Usher may not post. */
export class RefusedAddress extends Error {
  override name = 'RefusedAddress'
  readonly code = 'REFUSED_ADDRESS'

  constructor() {
    super('the host leads to an address that is not public')
  }
}

export type SafeAgents = {
  /**
   * What a request to a URL needs. @throws RefusedAddress if the URL itself names an address that is not allowed
   */
  optionsFor(url: URL): { agent: http.Agent; isAllowed: (address: string) => boolean }
  /** Closes all connections. */
  close(): void
}

/** Idle connections are kept so long, for the next event. */
const IDLE_MS = 20_000

type Lookup = typeof dns.lookup

/**
 * Agents that connect only to allowed addresses. The address is checked after DNS, for each connection, since a name may
 * lead elsewhere the next time. By http only loopback is allowed, and only with `allowPrivate`.
 */
export function createSafeAgents(allowPrivate: boolean, lookup: Lookup = dns.lookup): SafeAgents {
  const rules = {
    'http:': (address: string) => allowPrivate && reachOf(address) === 'loopback',
    'https:': (address: string) => mayReach(address, allowPrivate),
  }
  const kept = (isAllowed: (address: string) => boolean) => ({
    ...{ keepAlive: true, timeout: IDLE_MS, maxCachedSessions: 256 },
    lookup: onlyAllowed(isAllowed, lookup),
  })
  const agents = {
    'http:': new http.Agent(kept(rules['http:'])),
    'https:': new https.Agent(kept(rules['https:'])),
  }
  return {
    optionsFor({ protocol, hostname }) {
      const scheme = protocol === 'https:' ? 'https:' : 'http:'
      const [host, isAllowed] = [hostOf(hostname), rules[scheme]]
      if (isIP(host) && !isAllowed(host)) throw new RefusedAddress()
      return { agent: agents[scheme], isAllowed }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

/** A look-up that gives only allowed addresses. It is not called for a host that is an address already. */
function onlyAllowed(isAllowed: (address: string) => boolean, lookup: Lookup): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, [])
      const allowed = found.filter(({ address }) => isAllowed(address))
      const [first] = allowed
      if (!first) return callback(new RefusedAddress(), [])
      if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
}
