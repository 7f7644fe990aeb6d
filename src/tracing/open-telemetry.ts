import {
  context,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { BullMQOtel } from 'bullmq-otel'
import type { Config } from '../config.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import type { Traced, Tracing } from './tracing.ts'

/**
 * Exports spans to a collector by OTLP over HTTP, in batches. Spans that the collector does not accept are lost, and the
 * log says so. The SDK itself reads OpenTelemetry's other variables (headers, sampler, batch sizes).
 */
export function startOpenTelemetry(
  { url, serviceName }: NonNullable<Config['traces']>,
  log: Logger,
): Tracing {
  const warn = oncePerSecond(log)
  const warnOf = (message: string) => warn(new Error(message.slice(0, 300)), 'traces are not exported')
  const ignore = () => undefined
  diag.setLogger(
    { error: warnOf, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    DiagLogLevel.ERROR,
  )
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(detectResources({ detectors: [envDetector] }))
      .merge(resourceFromAttributes({ 'service.name': serviceName })),
    spanProcessors: [withoutPolling(new BatchSpanProcessor(new OTLPTraceExporter({ url })))],
  })
  provider.register()
  const stop = () => provider.shutdown().catch((err) => warn(err, 'traces are not exported'))
  return { traced, telemetry: new BullMQOtel(), carry, follow, stop }
}

const traced: Traced = (name, attributes, work) =>
  trace.getTracer('usher').startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work()
    } catch (error) {
      // The message is left out: that of a database error can contain the values of rows.
      span.setStatus({ code: SpanStatusCode.ERROR })
      span.setAttribute('error.type', error instanceof Error ? error.name : typeof error)
      throw error
    } finally {
      span.end()
    }
  })

const carry: Tracing['carry'] = () => {
  const carrier: { traceparent?: string } = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent ?? ''
}

const follow: Tracing['follow'] = (traceparent, work) =>
  context.with(propagation.extract(ROOT_CONTEXT, { traceparent }), work)

/** Drops the traces of a BullMQ worker's own upkeep, such as looking for jobs, of which it makes several a second. */
function withoutPolling(processor: SpanProcessor): SpanProcessor {
  return {
    onStart: (span, context) => processor.onStart(span, context),
    onEnd: (span) => isPolling(span) || processor.onEnd(span),
    forceFlush: () => processor.forceFlush(),
    shutdown: () => processor.shutdown(),
  }
}

function isPolling({ kind, parentSpanContext, instrumentationScope }: ReadableSpan): boolean {
  return (
    instrumentationScope.name === 'bullmq' && kind === SpanKind.INTERNAL && parentSpanContext === undefined
  )
}
