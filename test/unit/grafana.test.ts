import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PARTITIONS } from '../../src/event-feed/log-figures.ts'
import { STRAYS } from '../../src/messages/count-strays.ts'
import { WEBHOOK_REFUSALS } from '../../src/metrics/receiver.ts'
import { WEBHOOK_OUTCOMES } from '../../src/metrics/webhooks.ts'
import { createMetrics } from '../../src/metrics.ts'
import { projectRoot } from '../../src/project-root.ts'
import { QUEUE_NAMES } from '../../src/queue/names.ts'
import { SCHEDULES } from '../../src/queue/schedules.ts'

const read = (name: string) => readFileSync(join(projectRoot(), 'grafana', name), 'utf8')

type Panel = { title: string; type: string; targets?: { expr: string; legendFormat: string }[] }
const { panels } = JSON.parse(read('usher.json')) as { panels: Panel[] }
const targets = panels.flatMap((panel) => panel.targets ?? [])

/** Each rule as its lines, a folded expression on one. */
const rules = read('alerts.yaml')
  .split(/^ {6}- alert: /m)
  .slice(1)
  .map((text) => {
    const [, block, inline] = /^ {8}expr: (?:>-\n((?: {10}.*\n)+)|(.+)\n)/m.exec(text) ?? []
    return { name: text.split('\n')[0]!, text, expr: (inline ?? block ?? '').replaceAll(/\s+/g, ' ').trim() }
  })

const expressions = [...targets.map(({ expr }) => expr), ...rules.map(({ expr }) => expr)]

/** Every series that a scrape can show, with its labels: histograms have three, and `le`. */
const exported = new Map(
  createMetrics()
    .registry.getMetricsAsArray()
    .flatMap((metric): [string, string[]][] => {
      const { name, labelNames, type } = metric as typeof metric & { labelNames: string[] }
      const kind = String(type)
      if (kind !== 'histogram') return [[name, labelNames]]
      return [
        [`${name}_bucket`, [...labelNames, 'le']],
        [`${name}_sum`, labelNames],
        [`${name}_count`, labelNames],
      ]
    }),
)

/** What Prometheus itself adds to each series, and the label that tells two processes of one instance apart. */
const ADDED = ['instance', 'job', 'process']
const METRIC = /\b((?:usher|nodejs|process)_\w+)(?:\{([^}]*)\})?/g
const used = expressions.flatMap((expr) =>
  [...expr.matchAll(METRIC)].map(([, name = '', selector = '']) => ({ expr, name, selector })),
)
const LABEL_VALUES: Record<string, readonly string[]> = {
  reason: WEBHOOK_REFUSALS,
  queue: QUEUE_NAMES,
  sweep: SCHEDULES.map(({ name }) => name),
  state: ['waiting', 'active', 'delayed', 'failed'],
  outcome: ['accepted', 'failed', 'unknown', ...WEBHOOK_OUTCOMES],
  partition: PARTITIONS,
  month: STRAYS,
  le: ['1'],
}

describe('the dashboard and the alert rules', () => {
  it('use only metrics that a process exports', () => {
    expect(used.map(({ name }) => name).filter((name) => !exported.has(name))).toEqual([])
    expect(used.length).toBeGreaterThan(30)
  })

  it('select only by labels and values that these metrics have', () => {
    for (const { name, selector } of used) {
      for (const [, label = '', values = ''] of selector.matchAll(/(\w+)=~?"([^"]*)"/g)) {
        expect(exported.get(name), `${name}{${selector}}`).toContain(label)
        for (const value of values.split('|')) expect(LABEL_VALUES[label], label).toContain(value)
      }
    }
  })

  it('group only by labels that the metrics of the expression have', () => {
    for (const expr of expressions) {
      const labels = used.filter((use) => use.expr === expr).flatMap(({ name }) => exported.get(name) ?? [])
      for (const [, by = ''] of expr.matchAll(/by \(([^)]*)\)/g)) {
        for (const label of by.split(', ')) expect([...labels, ...ADDED], expr).toContain(label)
      }
    }
  })

  it('name only labels in legends and texts that the expression keeps', () => {
    const named = [
      ...targets.map(({ expr, legendFormat }) => ({ expr, text: legendFormat })),
      ...rules.map(({ expr, text }) => ({ expr, text })),
    ]
    for (const { expr, text } of named) {
      const labels = [...text.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, label]) => label)
      for (const label of labels) {
        if (expr.includes('by (')) expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`))
        else expect(ADDED).toContain(label)
      }
    }
  })

  it('use every metric of Usher', () => {
    const ours = [...exported.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, ''))
    const shown = used.map(({ name }) => name.replace(/_(bucket|sum|count)$/, ''))
    expect(ours.filter((name) => name.startsWith('usher_') && !shown.includes(name))).toEqual([])
  })

  it('have balanced expressions, and each alert has a duration, a severity and a summary', () => {
    for (const expr of expressions) {
      for (const [open, close] of ['()', '{}', '[]'])
        expect(expr.split(open!).length, expr).toBe(expr.split(close!).length)
    }
    expect(rules.length).toBeGreaterThan(10)
    for (const { name, text, expr } of rules) {
      expect(expr, name).not.toBe('')
      expect(text).toMatch(/^ {8}for: \d+m$/m)
      expect(text).toMatch(/^ {8}labels: \{ severity: (critical|warning) \}$/m)
      expect(text).toMatch(/^ {10}summary: \S/m)
    }
  })
})
