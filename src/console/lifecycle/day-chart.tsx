import { count } from '../ui/format.ts'
import { Table } from '../ui/parts.tsx'
import type { DayCounts } from './changes-by-day.ts'
import type { Day } from './days.ts'

const KINDS = ['created', 'reactivated', 'deactivated', 'expired'] as const satisfies (keyof DayCounts)[]
const HEIGHT = 160
const SLOT_WIDTH = 48
const BAR_WIDTH = 9

/** A bar chart with a group of bars for each day, and the same figures as a table for readers who cannot see it. */
export function DayChart({ days }: { days: Day[] }) {
  const most = Math.max(0, ...days.flatMap((day) => KINDS.map((kind) => day[kind])))
  const top = Math.max(1, most)
  const width = days.length * SLOT_WIDTH
  return (
    <figure class="chart">
      <figcaption>
        {KINDS.map((kind) => (
          <span class={`key ${kind}`}>{kind}</span>
        ))}
        <span class="dim">{most > 0 ? `at most ${count(most)} a day` : 'no changes'}</span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${HEIGHT + 22}`} role="img" aria-label="Changes of chatrooms by day">
        {days.map((day, i) => (
          <DayBars day={day} left={i * SLOT_WIDTH + 4} top={top} />
        ))}
        <line x1="0" x2={width} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} />
      </svg>
      <details>
        <summary>As a table</summary>
        <DayTable days={days} />
      </details>
    </figure>
  )
}

function DayBars({ day, left, top }: { day: Day; left: number; top: number }) {
  return (
    <g>
      {KINDS.map((kind, j) => (
        <Bar kind={kind} x={left + j * (BAR_WIDTH + 1)} size={day[kind]} top={top} />
      ))}
      <text x={left + 2 * (BAR_WIDTH + 1)} y={HEIGHT + 16} text-anchor="middle">
        {day.day.slice(8)}
      </text>
    </g>
  )
}

function Bar({ kind, x, size, top }: { kind: string; x: number; size: number; top: number }) {
  const height = size === 0 ? 0 : Math.max(2, (size / top) * HEIGHT)
  return <rect class={kind} x={x} y={HEIGHT - height} width={BAR_WIDTH} height={height} rx="2" />
}

function DayTable({ days }: { days: Day[] }) {
  return (
    <Table label="Changes by day" head={['Day', ...KINDS]}>
      {days.map((day) => (
        <tr>
          <th scope="row">{day.day}</th>
          {KINDS.map((kind) => (
            <td>{count(day[kind])}</td>
          ))}
        </tr>
      ))}
    </Table>
  )
}
