import type { ComponentChildren } from 'preact'
import { stamp } from './format.ts'
import type { OrgName } from './list-orgs.ts'

/** A state or decision as a coloured word. The word says it all: the colour only repeats it. */
export function Badge({ of, children }: { of: string; children?: ComponentChildren }) {
  return <span class={`badge ${of}`}>{children ?? of}</span>
}

/**
 * An instant in UTC, and by JavaScript in the time zone of the browser; `clock` shows the time of day only. UTC is shown when
 * one points at it.
 */
export function Moment({ at, clock = false }: { at: Date; clock?: boolean }) {
  const text = stamp(at)
  return (
    <time dateTime={at.toISOString()} title={`${text} UTC`} data-clock={clock ? '' : undefined}>
      {clock ? text.slice(11) : text}
    </time>
  )
}

/** A field to choose one org, or all of them. */
export function OrgPicker({ orgs, orgId }: { orgs: OrgName[]; orgId: string | undefined }) {
  return (
    <label class="field">
      <span>Org</span>
      <select name="org">
        <option value="">All orgs</option>
        {orgs.map(({ id, name }) => (
          <option value={id} selected={id === orgId}>
            {name === id ? id : `${name} (${id})`}
          </option>
        ))}
      </select>
    </label>
  )
}

/** A form that shows the page for the chosen org. */
export function OrgForm({
  action,
  orgs,
  orgId,
}: {
  action: string
  orgs: OrgName[]
  orgId: string | undefined
}) {
  return (
    <form class="bar" method="get" action={action}>
      <OrgPicker orgs={orgs} orgId={orgId} />
      <button type="submit">Show</button>
    </form>
  )
}

/** A table. On narrow screens each of its rows is a block (`assets/console.css`). */
export function Table({
  label,
  head,
  children,
}: {
  label: string
  head: string[]
  children: ComponentChildren
}) {
  return (
    <div class="sheet">
      <table aria-label={label}>
        <thead>
          <tr>
            {head.map((title) => (
              <th scope="col">{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
