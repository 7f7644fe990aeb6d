import type { MetricObjectWithValues, MetricValue } from 'prom-client'

/** All metrics of a process, as `registry.getMetricsAsJSON()` gives them. */
export type MetricValues = MetricObjectWithValues<MetricValue<string>>[]

/** A probe that failed, and cause and remedy if an operator may read them. */
export type FailedProbe = { name: string; reason: string | undefined }

/** What the process of the workers answers to its parent. */
export type Answers = { readiness: FailedProbe[]; metrics: MetricValues }

export type Question = { id: number; about: keyof Answers }

/** The first one, which has no question, says that the workers have been started. */
export type Answer = { id: number; answer: Answers[keyof Answers] | undefined }
