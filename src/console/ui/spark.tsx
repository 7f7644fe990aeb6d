const WIDTH = 240
const HEIGHT = 44
const SLOTS = 60

/** A line chart of up to 60 samples, the newest at the right end. The scale starts at zero. */
export function Spark({ label, samples }: { label: string; samples: number[] }) {
  const top = Math.max(1, ...samples)
  const step = WIDTH / (SLOTS - 1)
  const points = samples.map((sample, i) => {
    const x = WIDTH - (samples.length - 1 - i) * step
    return `${x.toFixed(1)},${(HEIGHT - 2 - (sample / top) * (HEIGHT - 6)).toFixed(1)}`
  })
  const [first] = points
  const area = first ? `${points.join(' ')} ${WIDTH},${HEIGHT} ${first.split(',')[0]},${HEIGHT}` : ''
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polygon points={area} />
      <polyline points={points.join(' ')} />
    </svg>
  )
}
