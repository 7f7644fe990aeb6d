import { init } from 'echarts'
import type { GrowthCase } from './growth.ts'

const WIDTH = 960
const HEIGHT = 420

/** An SVG: for each case a bar of routed/s (left axis) and a dot for the p99 from POST to routed at a rate (right). */
export function drawGrowth(cases: GrowthCase[], rate: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT })
  const routed = `routed/s, as fast as it goes`
  const latency = `POST to routed p99 at ${rate.toLocaleString('en-US')}/s, ms`
  chart.setOption({
    animation: false,
    color: ['#4f6fdc', '#e07b39'],
    backgroundColor: '#ffffff',
    grid: { left: 60, right: 60, top: 50, bottom: 90 },
    legend: { data: [routed, latency], top: 10 },
    xAxis: {
      type: 'category',
      data: cases.map((c) => c.label),
      axisLabel: { interval: 0, width: 100, overflow: 'break' },
    },
    yAxis: [
      { type: 'value', min: 0 },
      { type: 'value', min: 0, splitLine: { show: false } },
    ],
    series: [
      {
        name: routed,
        type: 'bar',
        data: cases.map((c) => Math.round(c.routed_per_s)),
        label: { show: true, position: 'top' },
      },
      {
        name: latency,
        type: 'scatter',
        yAxisIndex: 1,
        symbolSize: 12,
        data: cases.map((c) => Math.round(c.routed_p99_ms * 10) / 10),
      },
    ],
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}
