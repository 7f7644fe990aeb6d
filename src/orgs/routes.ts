import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId } from '../input-fields.ts'
import { SettingsDto } from './dtos.ts'
import { settingsOf } from './settings.ts'
import { writeSettings } from './write-settings.ts'

const errors = {
  401: 'Unauthorized - Authentication is required',
  403: "Forbidden - You don't have permission to access this resource",
  422: 'Required fields are missing or invalid values are provided',
  429: 'Too many requests of this org or this token',
  500: 'Internal Exception',
}

export const orgEndpoints = [
  defineEndpoint({
    method: 'get',
    path: '/v1/org/{orgId}/settings',
    operationId: 'getSettings',
    summary: "Get the org's settings",
    tags: ['settings'],
    policy: { role: 'MEMBER', impersonated: true, partner: true },
    params: { orgId: foreignId },
    responses: { 200: { description: 'The settings', schema: SettingsDto } },
    errors,
    handler: async ({ org }) => ({ status: 200, body: settingsOf(org) }),
  }),
  defineEndpoint({
    method: 'put',
    path: '/v1/org/{orgId}/settings',
    operationId: 'putSettings',
    summary: "Replace the org's settings",
    description:
      'A setting that is left out takes its default: the rules of days are off, no auto-reply, hold, history visible.',
    tags: ['settings'],
    policy: { role: 'ADMIN', impersonated: false, partner: true },
    params: { orgId: foreignId },
    body: SettingsDto,
    example: { body: { inactivity_days: 30, expiry_days: 180 } },
    responses: { 200: { description: 'The settings as they are now', schema: SettingsDto } },
    errors: {
      ...errors,
      404: 'The delegate is not a user or group of this org',
      503: 'The clock of this server is wrong, or the keys of tokens cannot be read',
    },
    handler: async ({ db, org, actor, body }) => ({
      status: 200,
      body: await writeSettings(db, { orgId: org.id, settings: body, actor }),
    }),
  }),
]
