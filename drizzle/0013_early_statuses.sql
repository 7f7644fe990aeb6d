CREATE TABLE "early_statuses" (
	"org_id" text NOT NULL,
	"wamid" text NOT NULL,
	"status" text NOT NULL,
	"status_at" timestamp (3) with time zone,
	"errors" json,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "early_statuses_pkey" PRIMARY KEY("org_id","wamid")
);
--> statement-breakpoint
CREATE INDEX "early_statuses_received" ON "early_statuses" USING btree ("received_at");