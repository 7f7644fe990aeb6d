ALTER TABLE "meta_objects" ADD COLUMN "waba_phone_id" text;--> statement-breakpoint
ALTER TABLE "meta_objects" ADD COLUMN "replaced_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "waba_phones" ADD COLUMN "moved_to" text;--> statement-breakpoint
ALTER TABLE "waba_phones" ADD COLUMN "remote_id" text GENERATED ALWAYS AS (coalesce(moved_to, id)) STORED NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "waba_phones_remote" ON "waba_phones" USING btree ("org_id","remote_id");