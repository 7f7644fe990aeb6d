import type { ComponentChildren } from 'preact'

type Props = {
  wide?: boolean
  name: string
  value: string
  href?: string
  alarm?: boolean
  children: ComponentChildren
}

/** A figure with its name and a note; `alarm` highlights it. */
export function Card({ name, value, href, wide = false, alarm = false, children }: Props) {
  return (
    <div class={`card${wide ? ' wide' : ''}${alarm ? ' alarm' : ''}`}>
      <h2>{href ? <a href={href}>{name}</a> : name}</h2>
      <p class="value">{value}</p>
      <p class="note">{children}</p>
    </div>
  )
}
