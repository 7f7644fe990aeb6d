import type { Registry } from 'prom-client'
import { failedOf, type Probe, reasonOf, runProbes } from '../../src/http/run-probes.ts'
import type { Answer, Answers, Question } from './messages.ts'

type Parts = { probes: Probe[]; registry: Registry }

/** Tells the parent process that the workers have been started, and answers its questions from now on. */
export function answerParent({ probes, registry }: Parts): void {
  const answers: { [About in keyof Answers]: () => Promise<Answers[About]> } = {
    readiness: async () =>
      failedOf(await runProbes(probes)).map((one) => ({ name: one.name, reason: reasonOf(one) })),
    metrics: () => registry.getMetricsAsJSON(),
  }
  process.on('message', async ({ id, about }: Question) => send({ id, answer: await answers[about]() }))
  send({ id: 0, answer: undefined })
}

/** Whether the parent takes the answer does not matter: when it has died, this process is about to end too. */
function send(answer: Answer): void {
  process.send?.(answer, undefined, undefined, () => undefined)
}
