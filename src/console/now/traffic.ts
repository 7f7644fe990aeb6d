import type { InboxTraffic } from './inbox-traffic.ts'

/** Deliveries per second, the oldest sample first. There is no sample before the second reading. */
export type Rates = { acknowledged: number[]; routed: number[] }

const SAMPLES = 60

/** The number of readings that a rate covers. It smooths the bursts in which backends report their statistics. */
const SPAN = 3

/** Turns readings of counters into rates and keeps the last 60 of them. */
export function createTraffic() {
  let readings: InboxTraffic[] = []
  const rates: Rates = { acknowledged: [], routed: [] }
  return {
    rates,
    /** Adds a reading. Counters that decrease were reset, which counts as no traffic. */
    add(reading: InboxTraffic): void {
      const [first] = readings
      readings = [...readings, reading].slice(-SPAN)
      if (!first) return
      const seconds = (reading.at.getTime() - first.at.getTime()) / 1_000
      if (seconds <= 0) return
      addSample(rates.acknowledged, (reading.stored - first.stored) / seconds)
      addSample(rates.routed, (reading.routed - first.routed) / seconds)
    },
    /** Removes all readings and rates; call it when readings pause, because rates across a pause would be wrong. */
    clear(): void {
      readings = []
      rates.acknowledged.length = 0
      rates.routed.length = 0
    },
  }
}

function addSample(samples: number[], perSecond: number): void {
  samples.push(Math.max(0, perSecond))
  if (samples.length > SAMPLES) samples.shift()
}
