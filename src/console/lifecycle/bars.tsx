import { count } from '../ui/format.ts'
import { Table } from '../ui/parts.tsx'
import type { DayCounts } from './changes-by-day.ts'

export type Day = DayCounts & { day: string }

const KINDS = ['created', 'woken', 'deactivated', 'expired'] as const satisfies (keyof DayCounts)[]
const HEIGHT = 160
const SLOT = 48
const BAR = 9

/** Days as groups of bars, with the same as a table for whoever cannot see them. */
export function Bars({ days }: { days: Day[] }) {
  const top = Math.max(1, ...days.flatMap((day) => KINDS.map((kind) => day[kind])))
  return (
    <figure class="chart">
      <figcaption>
        {KINDS.map((kind) => (
          <span class={`key ${kind}`}>{kind}</span>
        ))}
        <span class="dim">at most {count(top)} a day</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${days.length * SLOT} ${HEIGHT + 22}`}
        role="img"
        aria-label="Changes of chatrooms by day"
      >
        {days.map((day, i) => (
          <g>
            {KINDS.map((kind, j) => (
              <Bar kind={kind} x={i * SLOT + 4 + j * (BAR + 1)} size={day[kind]} top={top} />
            ))}
            <text x={i * SLOT + 4 + 2 * (BAR + 1)} y={HEIGHT + 16} text-anchor="middle">
              {day.day.slice(8)}
            </text>
          </g>
        ))}
        <line x1="0" x2={days.length * SLOT} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} />
      </svg>
      <details>
        <summary>As a table</summary>
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
      </details>
    </figure>
  )
}

function Bar({ kind, x, size, top }: { kind: string; x: number; size: number; top: number }) {
  const height = size === 0 ? 0 : Math.max(2, (size / top) * HEIGHT)
  return <rect class={kind} x={x} y={HEIGHT - height} width={BAR} height={height} rx="2" />
}
