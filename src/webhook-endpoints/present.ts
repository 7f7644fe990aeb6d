import type { WebhookEndpoint } from '../db/schema/index.ts'
import type { EventType } from '../event-log/types.ts'
import type { ShownEndpoint } from './schemas.ts'

/** What an org can set, under the names of the API. */
export type EndpointSettings = Pick<
  ShownEndpoint,
  'url' | 'types' | 'description' | 'enabled' | 'include_content' | 'on_rejection'
>

/** The settings of an endpoint. */
export function settingsOf(endpoint: WebhookEndpoint): EndpointSettings {
  const { url, description, enabled } = endpoint
  return {
    ...{ url, types: endpoint.types as EventType[] | null, description, enabled },
    ...{ include_content: endpoint.includeContent, on_rejection: endpoint.onRejection },
  }
}

/** The columns of these settings. */
export function columnsOf(settings: EndpointSettings) {
  const { url, types, description, enabled } = settings
  return {
    ...{ url, types, description, enabled },
    ...{ includeContent: settings.include_content, onRejection: settings.on_rejection },
  }
}

/** An endpoint as the API shows it at a time. */
export function toEndpoint(endpoint: WebhookEndpoint, now: Date): ShownEndpoint {
  const { id, disabledAt, disabledReason, oldSecretUntil, createdAt, updatedAt } = endpoint
  const isOldValid = oldSecretUntil !== null && oldSecretUntil > now
  return {
    id,
    ...settingsOf(endpoint),
    disabled_at: disabledAt?.toISOString() ?? null,
    disabled_reason: disabledReason,
    old_secret_until: isOldValid ? oldSecretUntil.toISOString() : null,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  }
}
