DROP INDEX "messages_held";--> statement-breakpoint
CREATE INDEX "messages_in_no_room" ON "messages" USING btree ("org_id","waba_phone_id","customer_id") WHERE chatroom_id is null;--> statement-breakpoint
CREATE INDEX "messages_held" ON "messages" USING btree ("org_id","sent_at","seq","wamid") WHERE route = 'held' and chatroom_id is null;