import { normalizeWebhook, verifySignature } from '@kapso/whatsapp-cloud-api/server'
import { serve, store } from './shared.mjs'

/** @kapso/whatsapp-cloud-api verifies and takes apart; its user stores each message, and answers afterwards. */
serve(async (request, response) => {
  const signatureHeader = request.get('x-hub-signature-256')
  if (!verifySignature({ appSecret: process.env.META_APP_SECRET, rawBody: request.body, signatureHeader }))
    return response.sendStatus(401)
  const { phoneNumberId, messages } = normalizeWebhook(JSON.parse(request.body.toString()))
  for (const message of messages) await store(message.id, phoneNumberId, message.from, message)
  response.sendStatus(200)
})
