ALTER TABLE "chatrooms" ADD COLUMN "auto_replies" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "chatrooms" ADD COLUMN "auto_replies_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "orgs" ADD COLUMN "reactions_reactivate" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "orgs" ADD COLUMN "auto_reply_burst" integer DEFAULT 20;--> statement-breakpoint
ALTER TABLE "waba_phones" ADD COLUMN "digits" text GENERATED ALWAYS AS (regexp_replace(display_phone_number, '[^0-9]', '', 'g')) STORED NOT NULL;--> statement-breakpoint
CREATE INDEX "waba_phones_digits" ON "waba_phones" USING btree ("org_id","digits");--> statement-breakpoint
ALTER TABLE "orgs" ADD CONSTRAINT "orgs_auto_reply_burst_positive" CHECK ("orgs"."auto_reply_burst" > 0);