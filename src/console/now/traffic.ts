import type { InboxTraffic } from './inbox-traffic.ts'

/** Deliveries a second, the oldest sample first; none before there are two readings. */
export type Rates = { acknowledged: number[]; routed: number[] }

const SAMPLES = 60

/** A rate is over so many readings: backends tell the database of their share once a second, in bursts. */
const SPAN = 3

/** Turns readings of counters into rates, and remembers the last sixty. */
export function createTraffic() {
  let readings: InboxTraffic[] = []
  const rates: Rates = { acknowledged: [], routed: [] }
  return {
    rates,
    /** Takes one reading. Counters that went back were reset: that is no traffic. */
    add(reading: InboxTraffic): void {
      const [first] = readings
      readings = [...readings, reading].slice(-SPAN)
      if (!first) return
      const seconds = (reading.at.getTime() - first.at.getTime()) / 1_000
      if (seconds <= 0) return
      remember(rates.acknowledged, (reading.stored - first.stored) / seconds)
      remember(rates.routed, (reading.routed - first.routed) / seconds)
    },
    /** Forgets all: what comes after a pause is no neighbour of what was before it. */
    clear(): void {
      readings = []
      rates.acknowledged.length = 0
      rates.routed.length = 0
    },
  }
}

function remember(samples: number[], perSecond: number): void {
  samples.push(Math.max(0, perSecond))
  if (samples.length > SAMPLES) samples.shift()
}
