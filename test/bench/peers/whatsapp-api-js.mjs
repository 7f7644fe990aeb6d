import { WhatsAppAPI } from 'whatsapp-api-js/middleware/express'
import { serve, store } from './shared.mjs'

/** whatsapp-api-js verifies and calls its user for a message, and answers when that has been stored. */
const api = new WhatsAppAPI({ token: 'none', appSecret: process.env.META_APP_SECRET })
api.on.message = ({ phoneID, from, message }) => store(message.id, phoneID, from, message)

serve(async (request, response) => {
  request.body = request.body.toString()
  response.sendStatus(await api.handle_post(request))
})
