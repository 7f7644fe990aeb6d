import { count, duration, queryString } from '../ui/format.ts'
import { Badge, Moment } from '../ui/parts.tsx'
import { Spark } from '../ui/spark.tsx'
import type { ShownEndpoint } from './list.ts'

export const WEBHOOKS = '/console/webhooks'

/** The address of the page of an endpoint. */
export function pathOf({ orgId, id }: Pick<ShownEndpoint, 'orgId' | 'id'>, text?: 'show'): string {
  return `${WEBHOOKS}/${encodeURIComponent(orgId)}/${id}${queryString({ text })}`
}

/** The URL without its query, in which there may be a secret. */
export function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url)
  return `${origin}${pathname}${search === '' ? '' : '?…'}`
}

/** What an endpoint is doing, in a word, with the reason. */
export function EndpointState({ endpoint }: { endpoint: ShownEndpoint }) {
  const { enabled, disabledReason, failingSince, pausedUntil, isReplaying } = endpoint
  return (
    <>
      {enabled && !failingSince && <Badge of="active">enabled</Badge>}
      {enabled && failingSince && (
        <>
          <Badge of="held">failing</Badge> since <Moment at={failingSince} />
        </>
      )}
      {!enabled && disabledReason && (
        <>
          <Badge of="is-failed">disabled</Badge> {disabledReason}
        </>
      )}
      {!enabled && !disabledReason && <Badge of="off">off</Badge>}
      {pausedUntil && (
        <>
          {' '}
          paused until <Moment at={pausedUntil} />
        </>
      )}
      {isReplaying && <> · a replay is running</>}
    </>
  )
}

/** How much is still to be posted. */
export function Lag({ events, seconds }: { events: number; seconds: number }) {
  return <>{events === 0 ? 'nothing waits' : `${count(events)} events, for ${duration(seconds)}`}</>
}

/** The share of the kept requests that delivered an event. */
export function SuccessRate({ endpoint: { requests, delivered } }: { endpoint: ShownEndpoint }) {
  if (requests === 0) return <>no request yet</>
  return (
    <>
      {Math.floor((100 * delivered) / requests)} % of {count(requests)} requests
    </>
  )
}

/** How long the last requests took. */
export function RequestTimes({ endpoint: { times } }: { endpoint: ShownEndpoint }) {
  if (times.length === 0) return null
  const most = count(Math.max(...times))
  return <Spark label={`Time of the last ${times.length} requests, at most ${most} ms`} samples={times} />
}
