import { Counter, Gauge, type Registry } from 'prom-client'

/** Metrics of sending through the Graph API. */
export function createSendingMetrics(registers: Registry[]) {
  return {
    sends: new Counter({
      name: 'usher_sends_total',
      help: 'Attempts to send a message, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    stoppedNumbers: new Gauge({
      name: 'usher_numbers_stopped',
      help: 'Numbers that may not send until they are provisioned again',
      registers,
    }),
  }
}
